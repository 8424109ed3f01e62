/** The file cannot be replaced. The message is one line. */
export class ReplaceError extends Error {
  override readonly name = "ReplaceError";
}
