import { isStreamSafe, parseDN } from "@registry-gate/distinguished-name";
import { LONGEST } from "../bounds.ts";
import { isTooLong } from "../entry-dn.ts";

/** Takes note of what cannot be a group of a rule. It is passed over: one odd value must not keep its user out. */
export interface OddValues {
  /**
   * @param attribute Which has the value.
   * @param reason Why it is passed over, to be put behind `its values`.
   * @param value From which it is guessed what a rule that denies may call the group.
   */
  add(attribute: string, reason: string, value?: string): void;
}

/** What was passed over: so many values of an attribute, for one reason. */
export interface Oddity {
  readonly attribute: string;
  readonly reason: string;
  readonly count: number;
}

export interface CollectedOddities extends OddValues {
  list(): readonly Oddity[];
  /** Names that may have been meant. They are for rules that deny. */
  possibleNames(): readonly string[];
}

export const ignoreOddValues: OddValues = { add: () => {} };

export function collectOddValues(): CollectedOddities {
  const oddities = new Map<string, Oddity>();
  const names = new Set<string>();
  return {
    add(attribute, reason, value) {
      const key = `${attribute} ${reason}`;
      oddities.set(key, { attribute, reason, count: (oddities.get(key)?.count ?? 0) + 1 });
      for (const name of value === undefined ? [] : guesses(value)) names.add(name);
    },
    list: () => [...oddities.values()],
    possibleNames: () => [...names],
  };
}

/** Why what should be the DN of a group is none, for {@link OddValues.add}. */
export function faultOfDN(dn: string): string {
  return isTooLong(dn) ? `are longer than ${LONGEST.dn} characters` : "are no DNs";
}

/** Controls, separators of lines and characters without a width: no rule can be seen to name such a group. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
/** What most names are: ASCII that reads as no DN. Normalization changes nothing there. */
const PLAIN = /^[!-<>-~][ -<>-~]*$/;

/** What a value is good for as the short name of a group. */
export type GroupName =
  | { readonly name: string; readonly fault?: never }
  | { readonly name?: never; readonly fault: string | undefined };

/** @returns without a fault for what is only not to be taken for a name: an empty text, and what reads as a DN. */
export function readGroupName(value: string): GroupName {
  if (value === "") return { fault: undefined };
  if (value.length > LONGEST.name) return { fault: `are longer than ${LONGEST.name} characters` };
  if (PLAIN.test(value)) return { name: value };
  if (!isStreamSafe(value)) return { fault: "have more than 30 combining marks in a row" };
  if (value.search(UNSEEN) !== -1) return { fault: "have control or invisible characters" };
  const name = value.normalize("NFC");
  // What reads as a DN could pass for another group.
  return parseDN(name) === undefined ? { name } : { fault: undefined };
}

/** The value itself without what cannot be seen, and what would be the name in it if it were nearly a DN. */
function guesses(value: string): readonly string[] {
  const seen = value.slice(0, LONGEST.dn).replace(UNSEEN, "");
  const [, inDN] = /^[^=,]*=([^,+]*)/.exec(seen) ?? [];
  return [seen, inDN ?? ""].flatMap((text) => readGroupName(text.trim()).name ?? []);
}
