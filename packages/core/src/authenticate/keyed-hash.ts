import { hash, randomBytes } from "node:crypto";

/** The block size of SHA-256, in bytes. */
const blockSize = 64;

/**
 * Creates a function that hashes a list of fields by HMAC-SHA-256 (RFC 2104) under an ephemeral key, so that the hashes
 * reveal nothing about the fields. Each field is prefixed with its length: different lists have different encodings.
 *
 * The one-shot `hash` is used for the inner and outer hash: creating an `Hmac` object takes ten times as long.
 */
export function keyedHash(key: Uint8Array = randomBytes(blockSize)): (fields: readonly string[]) => string {
  if (key.length > blockSize) throw new RangeError(`the key is longer than ${blockSize} bytes`);
  const inner = padded(key, 0x36);
  const outer = padded(key, 0x5c);
  return (fields) => {
    const parts: Buffer[] = [inner];
    for (const field of fields) {
      const bytes = Buffer.from(field, "utf8");
      const length = Buffer.allocUnsafe(4);
      length.writeUInt32BE(bytes.length);
      parts.push(length, bytes);
    }
    const digest = hash("sha256", Buffer.concat(parts), "buffer");
    return hash("sha256", Buffer.concat([outer, digest]), "base64");
  };
}

function padded(key: Uint8Array, pad: number): Buffer {
  const block = Buffer.alloc(blockSize, pad);
  for (const [index, byte] of key.entries()) block[index] = byte ^ pad;
  return block;
}
