import { type CryptoKey, createLocalJWKSet, errors, type JSONWebKeySet } from "jose";

/** The public keys of an issuer. */
export interface KeySet {
  /** @returns why not, where there is not exactly one key for `alg` and `kid`, or it cannot be used. */
  find(alg: string, kid: string | undefined): Promise<CryptoKey | KeyFault>;
}

export type KeyFault =
  /** No such key: the issuer may have a newer set. */
  | "unknown"
  /** Several keys would do. */
  | "ambiguous"
  /** The key is broken, or too weak. */
  | "unusable";

/** Members of a private or of a secret key (RFC 7518, section 6; RFC 9964, section 3). */
const PRIVATE_MEMBERS = ["d", "k", "priv"];

/**
 * Reads a JSON Web Key Set (RFC 7517, section 5).
 *
 * @returns a fault, in one line, for what is not one, has no keys, or holds a key that nobody should have published.
 */
export function readKeySet(text: string): KeySet | string {
  const set = parse(text);
  if (set === undefined) return "it is not a JSON Web Key Set";
  if (set.keys.length === 0) return "it contains no key";
  if (set.keys.some((key) => PRIVATE_MEMBERS.some((member) => Object.hasOwn(key, member)))) {
    return "it contains a private or secret key; only public keys belong there";
  }
  const resolve = createLocalJWKSet(set);
  return {
    async find(alg, kid) {
      try {
        return await resolve(kid === undefined ? { alg } : { alg, kid });
      } catch (error) {
        if (error instanceof errors.JWKSNoMatchingKey) return "unknown";
        return error instanceof errors.JWKSMultipleMatchingKeys ? "ambiguous" : "unusable";
      }
    },
  };
}

function parse(text: string): JSONWebKeySet | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isKeySet(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isKeySet(value: unknown): value is JSONWebKeySet {
  return (
    typeof value === "object" &&
    value !== null &&
    "keys" in value &&
    Array.isArray(value.keys) &&
    value.keys.every((key) => typeof key === "object" && key !== null && "kty" in key && typeof key.kty === "string")
  );
}
