/** Primary result codes of SQLite (sqlite.org/rescode.html). */
const faults: Readonly<Record<number, string>> = {
  3: "permission denied",
  8: "cannot be written",
  10: "cannot be read or written",
  11: "is damaged",
  13: "the disk is full",
  14: "cannot be opened",
  26: "is not a SQLite database",
};
const busy = 5;

/** What is wrong with a database, in the words of an operator, with its file. */
export function sqliteFault(error: unknown, file: string): string {
  const code = primaryCode(error);
  if (code === busy) return `another process has locked it for too long: ${file}`;
  const fault = code === undefined ? undefined : faults[code];
  return `${fault ?? (error instanceof Error ? error.message : "unknown error")}: ${file}`;
}

export function isBusy(error: unknown): boolean {
  return primaryCode(error) === busy;
}

/** Extended codes have the primary one in their lowest byte. */
function primaryCode(error: unknown): number | undefined {
  if (!(error instanceof Error && "errcode" in error && typeof error.errcode === "number")) return undefined;
  return error.errcode & 0xff;
}
