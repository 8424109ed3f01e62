/** The code of an error of the system, such as `ENOENT`; `undefined` for any other error. */
export function systemErrorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "no such directory",
  ENOTDIR: "is not a directory",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the file system is read-only",
  ENOSPC: "the disk is full",
  ELOOP: "too many symbolic links",
};

/** Why a file cannot be made or written, in the words of an operator; `undefined` for a code that is none of the usual ones. */
export function writeFaultReason(code: string): string | undefined {
  return reasons[code];
}
