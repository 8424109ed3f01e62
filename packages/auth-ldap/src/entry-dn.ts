import { type DN, parseDN, writeCanonical } from "@registry-gate/distinguished-name";
import { LONGEST } from "./bounds.ts";
import { oddContent } from "./faults.ts";

/**
 * The DN of an entry, as the server has written it.
 *
 * @throws {DirectoryFault} of kind `content` when it is too long, empty or not understood.
 */
export function parseEntryDN(dn: string): DN {
  const parsed = parseBoundedDN(dn);
  if (parsed === undefined) throw oddContent("a DN in the directory is not understood");
  return parsed;
}

/**
 * As {@link parseEntryDN}, for what is passed over where it is not understood.
 *
 * @throws {DirectoryFault} of kind `content` when it is too long.
 */
export function parseBoundedDN(dn: string): DN | undefined {
  if (dn.length > LONGEST.dn) throw oddContent(`a DN in the directory is longer than ${LONGEST.dn} characters`);
  const parsed = parseDN(dn);
  return parsed === undefined || parsed.length === 0 ? undefined : parsed;
}

/** The one form of an entry's DN; of one that is not understood, a text that no DN is equal to. */
export function comparableDN(dn: string): string {
  const parsed = parseBoundedDN(dn);
  return parsed === undefined ? `not a DN: ${dn}` : writeCanonical(parsed);
}
