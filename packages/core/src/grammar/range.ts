import { type Grammar, longestList, tokenCharacter } from "./grammar.ts";
import { listElements } from "./list-elements.ts";

const ranges = new RegExp(`^([${tokenCharacter}]+)=([\\d\\t ,-]+)$`);
/** With this many digits a number is exact. */
const span = /^(\d{0,15})-(\d{0,15})$/;
const chunk = /^(?:bytes[ =])?(\d{1,15})-(\d{1,15})(?:\/(?:\d{1,15}|\*))?$/i;

/**
 * `Range` (RFC 9110, section 14.2) in bytes. A valid range that cannot be satisfied is for the registry to refuse, with
 * 416: any other unit, and a range that ends before it begins.
 */
export const range: Grammar = (value) => {
  if (value.length > longestList) return undefined;
  const [, unit, set] = ranges.exec(value) ?? [];
  if (unit === undefined || set === undefined) return undefined;
  const written: string[] = [];
  for (const element of listElements(set)) {
    const [, first, last] = span.exec(element) ?? [];
    if (first === undefined || last === undefined || (first === "" && last === "")) return undefined;
    written.push(`${plain(first)}-${plain(last)}`);
  }
  return written.length === 0 ? undefined : `${unit.toLowerCase()}=${written.join(",")}`;
};

function plain(digits: string): string {
  return digits === "" ? "" : String(Number(digits));
}

/**
 * `Content-Range` of a chunk, `START-END` (OCI distribution specification 1.1, section "Pushing a blob in chunks"). The
 * forms of RFC 9110, section 14.4, and of Docker's first client, with a unit or a size, are converted to it.
 */
export const chunkRange: Grammar = (value) => {
  const [, first, last] = chunk.exec(value) ?? [];
  if (first === undefined || last === undefined || Number(first) > Number(last)) return undefined;
  return `${Number(first)}-${Number(last)}`;
};
