import type { JSONWebKeySet, JWK } from "jose";
import { exportJWK } from "jose/key/export";
import type { TokenAlgorithm, TokenKey } from "./signing-key.ts";

/** For how long a new key only verifies, in milliseconds: by then the other replicas have read it too. */
const settlingTime = 10_000;

/** The keys of a gate: one signs, all of them verify. */
export interface TokenKeys {
  /** The key to sign with: the newest that has been there for 10 s, or the oldest of those that have not. */
  signingKey(): TokenKey;
  /** The one algorithm of tokens: that of the newest key. A key of another algorithm does not count. */
  algorithm(): TokenAlgorithm;
  /** @returns `undefined` for a key that is not there, or not of the pinned algorithm. */
  find(kid: string): TokenKey | undefined;
  /**
   * Keys of 32 bytes for another purpose than signing, such as sealing: one for each private key. The first one is to be
   * used, each of the others may have been. While the keys stay the same, so do the objects.
   */
  derive(purpose: string): readonly Uint8Array[];
  /** The public keys (RFC 7517), for a registry that verifies tokens itself. */
  publicSet(): Promise<JSONWebKeySet>;
  /** Calls the listener when the keys have changed. @returns a function that ends it. */
  onChange(listener: () => void): () => void;
  /** Ends the following of a file. Calling it again does nothing. */
  close(): void;
}

/** Where {@link tokenKeys} has keys from. */
export interface KeySource {
  /** The newest first; the first with a private part decides the algorithm. */
  current(): readonly TokenKey[];
  onChange(listener: () => void): () => void;
  close(): void;
}

/** @throws {RangeError} where no key has a private part. */
export function tokenKeys(source: KeySource): TokenKeys {
  const privateKeys = (): readonly TokenKey[] => source.current().filter(({ privateKey }) => privateKey !== undefined);
  const newest = (): TokenKey => {
    const [key] = privateKeys();
    if (key === undefined) throw new RangeError("no key can sign");
    return key;
  };
  const usable = (): readonly TokenKey[] => {
    const { algorithm } = newest();
    return source.current().filter((key) => key.algorithm === algorithm);
  };
  const signingKey = (): TokenKey => {
    const { algorithm } = newest();
    const candidates = privateKeys().filter((key) => key.algorithm === algorithm);
    const settled = candidates.find(({ created }) => created + settlingTime <= Date.now());
    return settled ?? candidates.at(-1) ?? newest();
  };
  newest();
  return {
    signingKey,
    algorithm: () => newest().algorithm,
    find: (kid) => usable().find((key) => key.kid === kid),
    derive(purpose) {
      const first = signingKey();
      const inOrder = [first, ...privateKeys().filter((key) => key !== first)];
      return inOrder.flatMap((key) => key.derive(purpose) ?? []);
    },
    async publicSet() {
      const keys = await Promise.all(usable().map(publicJwk));
      return { keys };
    },
    onChange: source.onChange,
    close: source.close,
  };
}

async function publicJwk({ publicKey, kid, algorithm }: TokenKey): Promise<JWK> {
  return { ...(await exportJWK(publicKey)), kid, alg: algorithm, use: "sig" };
}
