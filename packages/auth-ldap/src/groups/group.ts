import { canonicalRDNs, type DN } from "@registry-gate/auth-kit";
import { parseEntryDN, tryEntryDN } from "../entry-dn.ts";
import type { Entry } from "../protocol/entry.ts";

/** A group that a user is in, as it was found. What it may be called by is decided for all of them in one place. */
export interface FoundGroup {
  /** As the server writes it. */
  readonly dn: string;
  readonly parsedDN: DN;
  readonly rdns: readonly string[];
  /** The same as one text. */
  readonly canonicalDN: string;
  /** Its entry with the name attribute; undefined where that has not been read. */
  readonly entry: Entry | undefined;
}

/** A group as rules can name it: by its DN, and by short names that stand for no other group. */
export interface Group {
  readonly canonicalDN: string;
  readonly names: readonly string[];
  /** Names that it bears, but that do not count, because another entry may be meant by them. */
  readonly ambiguousNames: readonly string[];
}

/** @throws {DirectoryError} when the DN is too long or not understood. */
export function foundGroup(dn: string, entry?: Entry): FoundGroup {
  return describeGroup(dn, parseEntryDN(dn), entry);
}

/** As {@link foundGroup}; `undefined` where that throws. */
export function findGroup(dn: string, entry?: Entry): FoundGroup | undefined {
  const parsedDN = tryEntryDN(dn);
  return parsedDN && describeGroup(dn, parsedDN, entry);
}

function describeGroup(dn: string, parsedDN: DN, entry: Entry | undefined): FoundGroup {
  const rdns = canonicalRDNs(parsedDN);
  return { dn, parsedDN, rdns, canonicalDN: rdns.join(","), entry };
}
