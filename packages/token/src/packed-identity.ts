import { brotliCompressSync, brotliDecompressSync, constants } from "node:zlib";
import { type IdentityClaims, readIdentity } from "./claims.ts";

/** More than the groups of anybody need, in bytes. */
const maxUnpacked = 1024 * 1024;

/** The identity of somebody with so many groups that they would not fit into a token as they are. */
export function packIdentity(identity: IdentityClaims): string {
  // Half of what deflate makes of the names of a directory, in the same time. Higher qualities take long.
  const params = { [constants.BROTLI_PARAM_QUALITY]: 5 };
  return brotliCompressSync(JSON.stringify(identity), { params }).toString("base64url");
}

/** @returns `undefined` for what {@link packIdentity} has not made. */
export function unpackIdentity(packed: string): IdentityClaims | undefined {
  try {
    const text = brotliDecompressSync(Buffer.from(packed, "base64url"), { maxOutputLength: maxUnpacked }).toString(
      "utf8",
    );
    return readIdentity(JSON.parse(text));
  } catch {
    return undefined;
  }
}
