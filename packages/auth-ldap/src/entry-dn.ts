import { type DN, parseDN } from "@registry-gate/distinguished-name";
import { LONGEST } from "./bounds.ts";
import { oddContent } from "./faults.ts";

/**
 * The DN of an entry, as the server has written it.
 *
 * @throws {DirectoryFault} of kind `content` when it is too long, empty or not understood.
 */
export function parseEntryDN(dn: string): DN {
  if (dn.length > LONGEST.dn) throw oddContent(`a DN in the directory is longer than ${LONGEST.dn} characters`);
  const parsed = parseDN(dn);
  if (parsed === undefined || parsed.length === 0) throw oddContent("a DN in the directory is not understood");
  return parsed;
}
