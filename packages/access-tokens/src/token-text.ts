import { createOpaqueToken, isOpaqueToken, opaqueTokenDigest } from "@registry-gate/auth-kit";

/** How every access token begins. Scanners for secrets look for it. */
export const tokenPrefix = "rga_";

/** How many characters of the digest name a token wherever it is listed: nobody gets from them to the token. */
const idLength = 16;

/** The form of a token's id. */
export const tokenIdPattern: RegExp = new RegExp(`^[0-9a-f]{${idLength}}$`);

/** Makes a new token: the prefix, 256 random bits and a checksum. */
export function createToken(): string {
  return createOpaqueToken(tokenPrefix);
}

/** Whether a text has the form of an access token, its checksum included. Nothing else is ever looked up. */
export function isToken(text: string): boolean {
  return isOpaqueToken(tokenPrefix, text);
}

/** What is stored of a token: its SHA-256, in hexadecimal. */
export function digestOf(token: string): string {
  return opaqueTokenDigest(token);
}

/** The name of a token that may be shown. */
export function idOf(digest: string): string {
  return digest.slice(0, idLength);
}
