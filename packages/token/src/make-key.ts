import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { calculateJwkThumbprint } from "jose/jwk/thumbprint";
import {
  algorithmOf,
  createdMember,
  jwkSchema,
  KeyError,
  type KeyMaterial,
  libtrustKeyId,
  type TokenAlgorithm,
} from "./signing-key.ts";

/** What a new key is to be. */
export interface NewKey {
  /** Default `EdDSA`. Registries older than distribution 3 verify `RS256` and `ES256` alone. */
  readonly algorithm?: TokenAlgorithm;
  /** A private key in PEM to take over, in place of making one. Its kind says the algorithm. */
  readonly pem?: string;
  /**
   * How the key is named: by its thumbprint (RFC 7638), or as docker-registry 2 names a key whose certificate is in
   * `rootcertbundle`. Default `thumbprint`.
   */
  readonly keyId?: "thumbprint" | "libtrust";
}

/**
 * Makes a private key, as a JWK.
 *
 * @throws {KeyError} for a PEM that is no private key of a kind that can be used.
 */
export async function makeKey({ algorithm = "EdDSA", pem, keyId = "thumbprint" }: NewKey = {}): Promise<KeyMaterial> {
  const privateKey = pem === undefined ? generate(algorithm) : readPem(pem);
  const alg = algorithmOf(privateKey);
  if (alg === undefined) throw new KeyError("is not of Ed25519, P-256 or RSA with at least 2048 bits");
  const jwk = privateKey.export({ format: "jwk" });
  const kid =
    keyId === "libtrust" ? libtrustKeyId(createPublicKey(privateKey)) : await calculateJwkThumbprint({ ...jwk });
  return jwkSchema.parse({ ...jwk, kid, alg, use: "sig", [createdMember]: Math.floor(Date.now() / 1000) });
}

function generate(algorithm: TokenAlgorithm): KeyObject {
  switch (algorithm) {
    case "EdDSA":
      return generateKeyPairSync("ed25519").privateKey;
    case "ES256":
      return generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
    case "RS256":
      return generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
  }
}

function readPem(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw new KeyError("holds no private key in PEM without a passphrase", { cause });
  }
}
