import { type DN, writeCanonical } from "@registry-gate/distinguished-name";
import { parseEntryDN } from "../entry-dn.ts";

/** A group that a user is in, as it was found. What it may be called by is decided for all of them in one place. */
export interface FoundGroup {
  /** As the server writes it. */
  readonly dn: string;
  readonly parsedDN: DN;
  readonly canonicalDN: string;
  /** The values of its name attribute; undefined where its entry has not been read. */
  readonly values: readonly string[] | undefined;
}

/** A group as rules can name it: by its DN, and by short names that stand for no other group. */
export interface Group {
  readonly canonicalDN: string;
  readonly names: readonly string[];
  /** Names that it bears, but that do not count, because another entry may be meant by them. */
  readonly ambiguousNames: readonly string[];
}

/** @throws {DirectoryFault} when the DN is not understood. */
export function foundGroup(dn: string, values?: readonly string[]): FoundGroup {
  const parsedDN = parseEntryDN(dn);
  return { dn, parsedDN, canonicalDN: writeCanonical(parsedDN), values };
}
