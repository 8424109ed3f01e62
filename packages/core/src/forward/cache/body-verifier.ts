import { createHash, type Hash } from "node:crypto";

/** Computes digests of a body, chunk by chunk. */
export interface BodyVerifier {
  add(chunk: Buffer): void;
  /** Whether the body has all of the digests. To be called once. */
  isVerified(): boolean;
}

const verifiable = /^(?:sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128})$/;

/** Whether bodies can be checked against the digest: those of the image specification's registered algorithms. */
export function isVerifiable(digest: string): boolean {
  return verifiable.test(digest);
}

/** @param digests Each {@link isVerifiable}. */
export function bodyVerifier(digests: readonly string[]): BodyVerifier {
  const hashes = digests.map((digest): { hash: Hash; expected: string } => {
    const colon = digest.indexOf(":");
    return { hash: createHash(digest.slice(0, colon)), expected: digest.slice(colon + 1) };
  });
  return {
    add(chunk) {
      for (const { hash } of hashes) hash.update(chunk);
    },
    isVerified: () => hashes.every(({ hash, expected }) => hash.digest("hex") === expected),
  };
}
