import { type DN, parseDN, writeCanonical } from "@registry-gate/distinguished-name";
import { DirectoryFault } from "../faults.ts";
import type { Entry } from "../protocol/entry.ts";

/** A group that a user is in. */
export interface Group {
  /** As the server writes it. */
  readonly dn: string;
  readonly parsedDN: DN;
  readonly canonicalDN: string;
  /**
   * Its values of the name attribute: the one in its DN, where there is one there. A name that reads as a DN is left
   * out: it could pass for another group.
   */
  readonly names: readonly string[];
}

/**
 * @param entry Where it is absent, a group is known by its DN alone.
 * @throws {DirectoryFault} when the DN is not understood.
 */
export function createGroup(dn: string, nameAttribute: string, entry?: Entry): Group {
  const parsedDN = parseDN(dn);
  if (parsedDN === undefined || parsedDN.length === 0) {
    throw new DirectoryFault("protocol", "the server has answered with the DN of a group that is not understood");
  }
  const naming = nameInDN(parsedDN, nameAttribute);
  const names = naming === undefined ? (entry?.text(nameAttribute) ?? []) : [naming];
  return {
    dn,
    parsedDN,
    canonicalDN: writeCanonical(parsedDN),
    names: names.map((name) => name.normalize("NFC")).filter((name) => parseDN(name) === undefined),
  };
}

function nameInDN(dn: DN, nameAttribute: string): string | undefined {
  return dn[0]?.find(({ type, hex }) => !hex && type === nameAttribute.toLowerCase())?.value;
}
