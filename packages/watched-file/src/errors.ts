/**
 * Why a file could not be read: an `errno` name of the system, or
 *
 * - `ENOTREG`: it is something other than a regular file or a directory,
 * - `ETOOBIG`: it is larger than the `maxBytes` of the call,
 * - `EUNSETTLED`: it never held still for long enough.
 */
export type FileReadCode = "ENOENT" | "EACCES" | "EISDIR" | "ENOTREG" | "ETOOBIG" | "EUNSETTLED" | (string & {});

/** A file could not be read. The message is one line that names the fault and then the path. */
export class FileReadError extends Error {
  override readonly name = "FileReadError";
  readonly code: FileReadCode;
  readonly path: string;
  /** The fault alone, such as `no such file`, for a message that names the path in its own way. */
  readonly fault: string;

  constructor(code: FileReadCode, path: string, fault: string, options?: ErrorOptions) {
    super(`${fault}: ${path}`, options);
    this.code = code;
    this.path = path;
    this.fault = fault;
  }
}

const FAULTS: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  ENOTDIR: "no such file",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EISDIR: "is a directory",
  ELOOP: "too many symbolic links",
  ENAMETOOLONG: "the name is too long",
};

/** Turns what `node:fs` threw into a {@link FileReadError}. */
export function toFileReadError(error: unknown, path: string): FileReadError {
  if (error instanceof FileReadError) return error;
  const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "EIO";
  return new FileReadError(code, path, FAULTS[code] ?? `cannot be read (${code})`, { cause: error });
}
