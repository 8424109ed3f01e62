import { readName } from "./identity-text.ts";

/** The groups of a user, as far as rules can name them. */
export interface ReadGroups {
  readonly groups: readonly string[];
  /**
   * What was passed over, but may be meant by a rule all the same: a number, or a group beyond the limit. It counts for
   * rules that deny.
   */
  readonly ambiguous: readonly string[];
  /** Why something was passed over, each reason once: it goes on after "a group that". Never quotes the group. */
  readonly passedOver: readonly string[];
}

const MOST = 1000;

/**
 * Reads groups one by one: one that cannot be a group of a rule is passed over, so that it does not lock its members out.
 *
 * @param values What came as groups. White space around a group does not belong to it, an empty one is no group, and one
 * that stands twice counts once.
 */
export function readGroups(values: readonly unknown[]): ReadGroups {
  const groups = new Set<string>();
  const ambiguous = new Set<string>();
  const passedOver = new Set<string>();
  for (const value of values) {
    const text = typeof value === "number" ? String(value) : value;
    if (typeof text !== "string") {
      passedOver.add("is no text");
      continue;
    }
    const trimmed = text.trim();
    if (trimmed === "" || groups.has(trimmed)) continue;
    const group = readName(trimmed);
    const fault = typeof value === "number" ? "is a number" : group.fault;
    if (group.fault === undefined && fault === undefined && (groups.size < MOST || groups.has(group.text))) {
      groups.add(group.text);
      continue;
    }
    passedOver.add(fault ?? `stands behind the first ${MOST}`);
    if (trimmed.isWellFormed()) ambiguous.add(trimmed.normalize("NFC"));
  }
  return {
    groups: [...groups],
    ambiguous: [...ambiguous].filter((name) => !groups.has(name)),
    passedOver: [...passedOver],
  };
}

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
