import { type GroupNameReading, parseDN, readGroupName } from "@registry-gate/auth-kit";
import { LONGEST } from "../bounds.ts";
import { isTooLong } from "../entry-dn.ts";

/** Collects values that no rule can name. They are skipped: one unusable value must not lock its user out. */
export interface SkippedValues {
  /**
   * @param attribute Which has the value.
   * @param reason Why it is skipped, as what is wrong with one of them.
   * @param value From which it is guessed what a rule that denies may call the group.
   */
  add(attribute: string, reason: string, value?: string): void;
}

/** Values of one attribute that were skipped for one reason. */
export interface SkippedValue {
  readonly attribute: string;
  readonly reason: string;
  readonly count: number;
}

export interface CollectedSkippedValues extends SkippedValues {
  list(): readonly SkippedValue[];
  /** Names that may have been meant. They are for rules that deny. */
  possibleNames(): readonly string[];
}

export const ignoreSkippedValues: SkippedValues = { add: () => {} };

export function collectSkippedValues(): CollectedSkippedValues {
  const skipped = new Map<string, SkippedValue>();
  const names = new Set<string>();
  return {
    add(attribute, reason, value) {
      const key = `${attribute} ${reason}`;
      skipped.set(key, { attribute, reason, count: (skipped.get(key)?.count ?? 0) + 1 });
      for (const name of value === undefined ? [] : guesses(value)) names.add(name);
    },
    list: () => [...skipped.values()],
    possibleNames: () => [...names],
  };
}

/** Why what should be the DN of a group is none, for {@link SkippedValues.add}. */
export function faultOfDN(dn: string): string {
  return isTooLong(dn) ? `is longer than ${LONGEST.dn} characters` : "is not a DN";
}

/** What a value is good for as the short name of a group. */
export type ShortNameReading = GroupNameReading | "none";

/** @returns `"none"` for what is only not to be taken for a name: an empty text, and what reads as a DN. */
export function readShortName(value: string): ShortNameReading {
  if (value.trim() === "") return "none";
  const reading = readGroupName(value);
  // What reads as a DN could pass for another group.
  return reading.name?.includes("=") === true && parseDN(reading.name) !== undefined ? "none" : reading;
}

/** The value itself without what cannot be seen, and what would be the name in it if it were nearly a DN. */
function guesses(value: string): readonly string[] {
  const [, inDN = ""] = /^[^=,]*=([^,+]*)/.exec(value.slice(0, LONGEST.dn)) ?? [];
  return [isTooLong(value) ? "" : value, inDN].flatMap((text) => {
    const reading = readShortName(text);
    if (reading === "none") return [];
    return reading.fault === undefined
      ? [reading.name]
      : reading.possibleNames.filter((name) => parseDN(name) === undefined);
  });
}
