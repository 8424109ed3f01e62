/** The registered algorithms of the OCI image specification 1.1 ("Digests") that this registry checks content with. */
export type DigestAlgorithm = "sha256" | "sha512";

/** The name of content by its hash. */
export interface Digest {
  readonly algorithm: DigestAlgorithm;
  /** Lower-case hexadecimal, of the algorithm's own length. */
  readonly hex: string;
  /** `algorithm:hex` */
  readonly text: string;
}

const grammar = /^(?:(sha256):([a-f0-9]{64})|(sha512):([a-f0-9]{128}))$/;

/** The digest that `text` is, or undefined where it is malformed or its algorithm is not known here. */
export function parseDigest(text: string): Digest | undefined {
  const match = grammar.exec(text);
  if (match === null) return undefined;
  if (match[2] !== undefined) return digestOf("sha256", match[2]);
  if (match[4] !== undefined) return digestOf("sha512", match[4]);
  return undefined;
}

/** Puts a digest together from parts that are known to be right. */
export function digestOf(algorithm: DigestAlgorithm, hex: string): Digest {
  return { algorithm, hex, text: `${algorithm}:${hex}` };
}
