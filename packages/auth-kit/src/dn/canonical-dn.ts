import { isStreamSafe } from "../names/stream-safe.ts";
import { type Ava, type DN, parseDN } from "./parse-dn.ts";

/**
 * Writes a DN in the one form in which equal DNs are equal strings: types in lower case, values without regard to case,
 * compatibility forms and repeated space (RFC 4518), no needless escapes, no space around separators, and the AVAs of an
 * RDN in a fixed order.
 *
 * Values are folded whatever their matching rule is, because no schema is at hand: two DNs that differ in case alone are
 * taken for one.
 *
 * @returns `undefined` for what is not a DN, and for the empty DN.
 */
export function canonicalDN(text: string): string | undefined {
  const dn = parseDN(text);
  return dn === undefined || dn.length === 0 ? undefined : writeCanonical(dn);
}

/** As {@link canonicalDN}, of a DN that has been parsed. */
export function writeCanonical(dn: DN): string {
  return canonicalRDNs(dn).join(",");
}

/** Whether an entry is `base` itself or stands below it. */
export function isWithin(dn: DN, base: DN): boolean {
  return endsWith(canonicalRDNs(dn), canonicalRDNs(base));
}

/** As {@link isWithin}, of {@link canonicalRDNs}. */
export function endsWith(whole: readonly string[], end: readonly string[]): boolean {
  const offset = whole.length - end.length;
  return offset >= 0 && end.every((rdn, index) => rdn === whole[offset + index]);
}

/** What most values are: ASCII, with single spaces within. The rest of the folding changes nothing there. */
const SIMPLE = /^[!-~]+(?: [!-~]+)*$/;

/**
 * Folds a value for comparison, much as caseIgnoreMatch does. Takes time in proportion to the length: a value that is
 * not {@link isStreamSafe} is not normalized.
 */
export function foldValue(value: string): string {
  if (SIMPLE.test(value)) return value.toLowerCase();
  const folded = isStreamSafe(value) ? normalizeFold(value) : value.toLowerCase();
  return folded.replace(/\s+/g, " ").trim();
}

function normalizeFold(value: string): string {
  return value.normalize("NFKC").toLowerCase().replaceAll("ς", "σ").normalize("NFKC");
}

/** The components of {@link writeCanonical}, from the entry itself up to the root. */
export function canonicalRDNs(dn: DN): readonly string[] {
  return dn.map((rdn) => {
    const [only, ...others] = rdn;
    return only !== undefined && others.length === 0 ? writeAva(only) : rdn.map(writeAva).sort().join("+");
  });
}

function writeAva({ type, value, hex }: Ava): string {
  return hex ? `${type}=#${value}` : `${type}=${escapeMinimally(foldValue(value))}`;
}

function escapeMinimally(value: string): string {
  if (!/["+,;<>\\\0-\x1f\x7f]|^#/.test(value)) return value;
  return value
    .replace(/["+,;<>\\]/g, "\\$&")
    .replace(/^[#]/, "\\#")
    .replace(/[\0-\x1f\x7f]/g, (control) => `\\${control.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
