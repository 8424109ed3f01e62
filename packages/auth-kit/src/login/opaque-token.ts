import { createHash, randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const secretBytes = 32;
/** As many characters of base 62 as 256 bits need. */
const secretLength = 43;
/** As many as 32 bits need. */
const checksumLength = 6;
const body = new RegExp(`^[0-9A-Za-z]{${secretLength + checksumLength}}$`);

/**
 * Makes a token that means nothing by itself: a prefix, 256 random bits and a CRC-32 of both, in letters and digits alone. A
 * scanner for secrets finds it by its prefix, and by its checksum knows it from a text that only looks like one.
 *
 * @param prefix Says what the token is for, such as `rga_`.
 */
export function createOpaqueToken(prefix: string): string {
  const secret = base62(BigInt(`0x${randomBytes(secretBytes).toString("hex")}`), secretLength);
  return `${prefix}${secret}${checksum(prefix + secret)}`;
}

/** Whether a text has the form of {@link createOpaqueToken}: without asking anybody, it tells slips and strangers apart. */
export function isOpaqueToken(prefix: string, text: string): boolean {
  if (!text.startsWith(prefix) || !body.test(text.slice(prefix.length))) return false;
  const signed = text.slice(0, -checksumLength);
  return checksum(signed) === text.slice(-checksumLength);
}

/** What is stored of an opaque token: its SHA-256, in hexadecimal. 256 random bits need neither salt nor slowness. */
export function opaqueTokenDigest(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

function checksum(text: string): string {
  return base62(BigInt(crc32(text)), checksumLength);
}

function base62(number: bigint, length: number): string {
  let digits = "";
  for (let rest = number; digits.length < length; rest /= 62n) digits = `${alphabet[Number(rest % 62n)]}${digits}`;
  return digits;
}
