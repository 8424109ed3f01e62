/** A pattern in which `*` matches any text: the literals between its stars, in order. */
export type Wildcard = readonly string[];

export function compileWildcard(pattern: string): Wildcard {
  return pattern.split("*");
}

/** Whether the whole text matches: the first literal at the beginning, the last one at the end. */
export function matchWildcard(literals: Wildcard, text: string): boolean {
  const first = literals[0] ?? "";
  if (literals.length === 1) return text === first;
  const last = literals.at(-1) ?? "";
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  const end = text.length - last.length;
  let from = first.length;
  for (const literal of literals.slice(1, -1)) {
    const found = text.indexOf(literal, from);
    if (found === -1 || found + literal.length > end) return false;
    from = found + literal.length;
  }
  return true;
}
