/**
 * The reason of a failure, in one line. Third-party code may throw any value. A value that is not an Error is not quoted,
 * because it may hold a secret.
 */
export function oneLine(error: unknown): string {
  if (typeof error === "string") return firstLine(error);
  if (!(error instanceof Error)) return "a value that is not an Error was thrown";
  return firstLine(error.message) || error.name;
}

export function firstLine(text: string): string {
  return text.trim().split(/[\r\n\u2028\u2029]/u, 1)[0] ?? "";
}
