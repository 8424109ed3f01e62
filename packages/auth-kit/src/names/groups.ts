import { readGroupName } from "./name.ts";

/** The groups of a user, as far as rules can name them. */
export interface ReadGroups {
  readonly groups: readonly string[];
  /**
   * Skipped values that a rule may mean nevertheless: a number, or a group beyond the limit. They count for
   * rules that deny.
   */
  readonly ambiguous: readonly string[];
  /** The reasons for skipping groups, each once. A reason continues "a group that" and never quotes the group. */
  readonly skipped: readonly string[];
}

/** How many groups of one user count. */
const MOST_GROUPS = 1000;

/**
 * Reads groups that came from elsewhere, one by one. It skips a value that no rule can name, so that it does
 * not lock its members out.
 *
 * @param values What came as groups. White space around a group does not belong to it, an empty one is no group, and one
 * that stands twice counts once.
 */
export function readGroups(values: readonly unknown[]): ReadGroups {
  const groups = new Set<string>();
  const ambiguous = new Set<string>();
  const skipped = new Set<string>();
  const skip = (fault: string, possibleNames: readonly string[]): void => {
    skipped.add(fault);
    for (const name of possibleNames) ambiguous.add(name);
  };
  for (const value of values) {
    if (typeof value === "number") skip("is a number", [String(value)]);
    else if (typeof value !== "string") skip("is not a string", []);
    else if (value.trim() !== "") {
      const reading = readGroupName(value);
      if (reading.fault !== undefined) skip(reading.fault, reading.possibleNames);
      else if (groups.size < MOST_GROUPS || groups.has(reading.name)) groups.add(reading.name);
      else skip(`is beyond the first ${MOST_GROUPS}`, [reading.name]);
    }
  }
  return {
    groups: [...groups],
    ambiguous: [...ambiguous].filter((name) => !groups.has(name)),
    skipped: [...skipped],
  };
}
