import { type DN, parseDN, writeCanonical } from "@registry-gate/auth-kit";
import { LONGEST } from "./bounds.ts";
import { invalidContent } from "./directory-error.ts";

/**
 * The DN of an entry, as the server has written it.
 *
 * @throws {DirectoryError} of kind `content` when it is too long, empty or not understood.
 */
export function parseEntryDN(dn: string): DN {
  if (isTooLong(dn)) throw invalidContent(`a DN in the directory is longer than ${LONGEST.dn} characters`);
  const parsed = tryEntryDN(dn);
  if (parsed === undefined) throw invalidContent("invalid DN in the directory");
  return parsed;
}

/** As {@link parseEntryDN}; `undefined` where that throws. */
export function tryEntryDN(dn: string): DN | undefined {
  const parsed = isTooLong(dn) ? undefined : parseDN(dn);
  return parsed === undefined || parsed.length === 0 ? undefined : parsed;
}

/** Before it is parsed: the time that takes is bounded by it. */
export function isTooLong(dn: string): boolean {
  return dn.length > LONGEST.dn;
}

/** The one form of an entry's DN; of one that is not understood, a text that no DN is equal to. */
export function comparableDN(dn: string): string {
  const parsed = tryEntryDN(dn);
  return parsed === undefined ? `not a DN: ${dn}` : writeCanonical(parsed);
}
