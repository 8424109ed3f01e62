/**
 * Compiles what a claim must be: `*` stands for any text without `/`, `**` for any text, all else for itself. The whole
 * of the claim must match.
 */
export function compilePattern(pattern: string): (text: string) => boolean {
  if (!pattern.includes("*")) return (text) => text === pattern;
  const source = pattern
    .split(/(\*\*|\*)/)
    .map((part) => (part === "**" ? ".*" : part === "*" ? "[^/]*" : part.replace(/[\\^$.+?()[\]{}|/]/g, "\\$&")))
    .join("");
  const expression = new RegExp(`^${source}$`, "su");
  return (text) => expression.test(text);
}
