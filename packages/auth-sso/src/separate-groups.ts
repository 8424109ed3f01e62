/**
 * Takes a text apart that holds several groups.
 *
 * @param separator What stands between two groups; `none`: the whole text is one group; `json`: the text is a JSON array.
 * @returns `undefined` for what is no JSON array.
 */
export function separateGroups(text: string, separator: string): readonly unknown[] | undefined {
  if (text.trim() === "") return [];
  if (separator === "none") return [text];
  return separator === "json" ? parseArray(text) : text.split(separator);
}

function parseArray(text: string): readonly unknown[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return Array.isArray(value) ? value : undefined;
}
