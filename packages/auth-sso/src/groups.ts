import { readName } from "./identity-text.ts";

/** The groups that were read, or why they cannot be. */
export type Groups = { readonly groups: readonly string[]; readonly fault?: never } | { readonly fault: string };

const MOST = 1000;

/**
 * Takes a list of groups apart.
 *
 * @param separator What stands between two groups; `none`: the whole text is one group; `json`: the text is a JSON array
 * of strings. White space around a group does not belong to it, an empty one is passed over, and one that stands twice
 * counts once.
 */
export function readGroups(text: string, separator: string): Groups {
  const parts = separate(text, separator);
  if (parts === undefined) return { fault: "is not a JSON array of strings" };
  const groups = new Set<string>();
  for (const part of parts) {
    const trimmed = part.trim();
    if (trimmed === "") continue;
    const group = readName(trimmed);
    if (group.fault !== undefined) return { fault: `holds a group that ${group.fault}` };
    groups.add(group.text);
    if (groups.size > MOST) return { fault: `holds more than ${MOST} groups` };
  }
  return { groups: [...groups] };
}

function separate(text: string, separator: string): readonly string[] | undefined {
  if (text.trim() === "") return [];
  if (separator === "none") return [text];
  return separator === "json" ? parseArray(text) : text.split(separator);
}

function parseArray(text: string): readonly string[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return Array.isArray(value) && value.every((item) => typeof item === "string") ? value : undefined;
}
