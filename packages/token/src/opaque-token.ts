import { createHash, randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";

const randomLength = 32;

/**
 * Makes a secret text that means nothing by itself: a prefix, 256 random bits, and a checksum by which scanners find leaked
 * ones (CRC-32 of all before it). All in characters that need no encoding in a URL, a header or a shell.
 *
 * @param prefix Such as `rgr_`.
 */
export function makeOpaqueToken(prefix: string): string {
  const secret = prefix + randomBytes(randomLength).toString("base64url");
  return secret + checksum(secret);
}

/** Whether a text has the form, and the checksum, of what {@link makeOpaqueToken} makes. */
export function isOpaqueToken(prefix: string, text: string): boolean {
  if (text.length !== prefix.length + 43 + 6 || !text.startsWith(prefix)) return false;
  if (!/^[A-Za-z0-9_-]{49}$/.test(text.slice(prefix.length))) return false;
  return checksum(text.slice(0, -6)) === text.slice(-6);
}

/** What is kept of such a token. There is nothing to guess in 256 random bits, so that a plain hash will do. */
export function opaqueTokenHash(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

function checksum(text: string): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(text));
  return bytes.toString("base64url");
}
