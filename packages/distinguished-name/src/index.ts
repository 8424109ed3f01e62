/**
 * Distinguished names (RFC 4514): parsed, and compared as what they name.
 *
 * @module
 */
export {
  canonicalDN,
  canonicalRDNs,
  endsWith,
  foldValue,
  isStreamSafe,
  isWithin,
  writeCanonical,
} from "./canonical-dn.ts";
export { type Ava, type DN, parseDN } from "./parse-dn.ts";
