import { createHash, createPrivateKey, createPublicKey, hkdfSync, type KeyObject } from "node:crypto";
import { z } from "@registry-gate/auth-kit";

/** How tokens are signed (RFC 7518, section 3.1; RFC 8037, section 3.1). There is no algorithm of a shared secret. */
export type TokenAlgorithm = (typeof tokenAlgorithms)[number];

/** Every {@link TokenAlgorithm}. */
export const tokenAlgorithms = ["EdDSA", "ES256", "RS256"] as const;

/** The member of a JWK that says when the key was made, in seconds since the epoch. */
export const createdMember = "rg:created";

/** A key that tokens are verified with, and, where it has a private part, signed. */
export interface TokenKey {
  readonly kid: string;
  readonly algorithm: TokenAlgorithm;
  /** In milliseconds since the epoch; 0 where the key does not say so. */
  readonly created: number;
  readonly publicKey: KeyObject;
  /** `undefined` for a key that only verifies. */
  readonly privateKey: KeyObject | undefined;
  /** Certificates of the key, Base64 of DER, the key's own first (RFC 7515, section 4.1.6). */
  readonly x5c: readonly string[] | undefined;
  /** 32 bytes for a purpose other than signing, always the same bytes for one purpose; `undefined` without a private part. */
  derive(purpose: string): Uint8Array | undefined;
}

/** A JWK (RFC 7517) as a file of keys has it, with further members that are left alone. */
export interface KeyMaterial {
  readonly [member: string]: unknown;
  readonly kty: "OKP" | "EC" | "RSA";
  readonly kid: string;
  readonly alg?: string;
  readonly d?: string;
  readonly x5c?: string[];
  readonly [createdMember]?: number;
}

const text = z.string().min(1).max(8192);

/** The form of a {@link KeyMaterial}. Whether it is a key is for OpenSSL to say. */
export const jwkSchema: z.ZodType<KeyMaterial> = z.looseObject({
  kty: z.enum(["OKP", "EC", "RSA"]),
  kid: z.string().regex(/^[\x21-\x7e]{1,256}$/),
  alg: text.exactOptional(),
  use: z.literal("sig").exactOptional(),
  d: text.exactOptional(),
  x5c: z
    .array(z.string().regex(/^[A-Za-z0-9+/]+={0,2}$/))
    .min(1)
    .max(10)
    .exactOptional(),
  [createdMember]: z.int().min(0).exactOptional(),
});

/** Another length is not verified by registries, or not safe. */
const leastRsaBits = 2048;

/**
 * Makes a key of a JWK.
 *
 * @throws {KeyError} whose message goes on after the name of the key, and quotes nothing of it.
 */
export function tokenKey(jwk: KeyMaterial): TokenKey {
  const { kid, alg, d, x5c } = jwk;
  const { publicKey, privateKey } = keyObjects(jwk);
  const algorithm = algorithmOf(publicKey);
  if (algorithm === undefined) throw new KeyError("is not of Ed25519, P-256 or RSA with at least 2048 bits");
  // RFC 9864 names the algorithm by its curve.
  if (alg !== undefined && alg !== algorithm && !(algorithm === "EdDSA" && alg === "Ed25519")) {
    throw new KeyError(`is not for the algorithm that it names: it fits ${algorithm}`);
  }
  const derived = new Map<string, Uint8Array>();
  return {
    kid,
    algorithm,
    created: (jwk[createdMember] ?? 0) * 1000,
    publicKey,
    privateKey,
    x5c,
    derive(purpose) {
      if (privateKey === undefined || d === undefined) return undefined;
      const known = derived.get(purpose);
      if (known !== undefined) return known;
      const info = `registry-gate ${purpose}`;
      const bytes = new Uint8Array(hkdfSync("sha256", Buffer.from(d, "base64url"), new Uint8Array(), info, 32));
      derived.set(purpose, bytes);
      return bytes;
    },
  };
}

/** A key cannot be used. */
export class KeyError extends Error {
  override readonly name = "KeyError";
}

function keyObjects(jwk: KeyMaterial): { publicKey: KeyObject; privateKey: KeyObject | undefined } {
  const key = { ...jwk };
  try {
    if (jwk.d === undefined) return { publicKey: createPublicKey({ key, format: "jwk" }), privateKey: undefined };
    const privateKey = createPrivateKey({ key, format: "jwk" });
    return { publicKey: createPublicKey(privateKey), privateKey };
  } catch (cause) {
    throw new KeyError("is no key", { cause });
  }
}

/** The one algorithm that a key is used with. */
export function algorithmOf(key: KeyObject): TokenAlgorithm | undefined {
  const { namedCurve, modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case "ed25519":
      return "EdDSA";
    case "ec":
      return namedCurve === "prime256v1" ? "ES256" : undefined;
    case "rsa":
      return modulusLength >= leastRsaBits ? "RS256" : undefined;
    default:
      return undefined;
  }
}

const base32Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/**
 * What docker-registry 2 calls a key whose certificate is in `rootcertbundle`, after its library libtrust: the first 30 bytes
 * of the SHA-256 of the public key (DER, SubjectPublicKeyInfo) in Base32, in groups of four characters.
 */
export function libtrustKeyId(publicKey: KeyObject): string {
  const digest = createHash("sha256")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest()
    .subarray(0, 30);
  const bits = [...digest].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  const characters = (bits.match(/.{5}/g) ?? []).map((group) => base32Alphabet[Number.parseInt(group, 2)] ?? "");
  return (characters.join("").match(/.{4}/g) ?? []).join(":");
}
