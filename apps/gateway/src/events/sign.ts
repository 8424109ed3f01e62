import { createHmac } from "node:crypto";

/** The header with the signature. */
export const signatureHeader = "X-Registry-Gate-Signature";

/** The signature of a body: HMAC (RFC 2104) with SHA-256, in hexadecimal. */
export function signatureOf(body: string, secret: string): string {
  return `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
}
