/**
 * Why something failed, in one line. What was thrown may be anything, because others wrote it; of what is no error
 * nothing is told, because nobody knows what it holds.
 */
export function oneLine(error: unknown): string {
  if (typeof error === "string") return firstLine(error);
  if (!(error instanceof Error)) return "something was thrown that is no error";
  return firstLine(error.message) || error.name;
}

export function firstLine(text: string): string {
  return text.trim().split(/[\r\n\u2028\u2029]/u, 1)[0] ?? "";
}
