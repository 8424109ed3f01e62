import { type ReadGroups, readGroups } from "@registry-gate/auth-kit";
import { separateGroups } from "../separate-groups.ts";
import { decodeValue, decodeWords } from "./header-value.ts";
import type { ResolvedHeaderOptions } from "./options.ts";

/** More than fits into the head of a request to the gateway, in bytes. */
const longestGroups = 65_536;

/**
 * Reads the header that holds the groups.
 *
 * @param values Of each line of the header.
 * @returns why not, where the header as a whole cannot be read; it goes on after "the groups header".
 */
export function groupsIn(
  values: readonly string[],
  { groupsSeparator, encodedWords }: Pick<ResolvedHeaderOptions, "groupsSeparator" | "encodedWords">,
): ReadGroups | string {
  if (values.length > 1) return "occurs more than once";
  const [value = ""] = values;
  if (encodedWords || groupsSeparator === "json") {
    const whole = (encodedWords ? decodeWords : decodeValue)(value, longestGroups);
    if (whole.fault !== undefined) return whole.fault;
    const groups = separateGroups(whole.text, groupsSeparator);
    return groups === undefined ? "is not a JSON array of strings" : readGroups(groups);
  }
  if (value.length > longestGroups) return `is longer than ${longestGroups} bytes`;
  // Each by itself: bytes that are not UTF-8 spoil one group alone. Separators are ASCII.
  const texts: string[] = [];
  const ambiguous: string[] = [];
  const faults = new Set<string>();
  for (const part of separateGroups(value, groupsSeparator) ?? []) {
    const raw = String(part);
    const decoded = decodeValue(raw);
    if (decoded.fault === undefined) texts.push(decoded.text);
    else {
      faults.add(decoded.fault);
      // As Latin-1 it may be what a rule that denies names.
      ambiguous.push(raw.trim().normalize("NFC"));
    }
  }
  const read = readGroups(texts);
  return {
    groups: read.groups,
    ambiguous: [...read.ambiguous, ...ambiguous],
    skipped: [...faults, ...read.skipped],
  };
}
