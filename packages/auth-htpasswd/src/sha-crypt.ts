import { createHash, hash } from "node:crypto";

const ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** What SHA-256 crypt and SHA-512 crypt differ in. */
interface Variant {
  readonly algorithm: "sha256" | "sha512";
  readonly size: number;
  /** The order in which the bytes of the digest are written: groups of three, most significant byte first. */
  readonly order: readonly (readonly [number, number, number])[];
  /** The bytes that are left over after the groups, most significant first, and how many characters they take. */
  readonly rest: { readonly bytes: readonly number[]; readonly characters: number };
}

const SHA256: Variant = {
  algorithm: "sha256",
  size: 32,
  order: groups([0, 10, 20], 10, ([a, b, c]) => [c + 1, a + 1, b + 1]),
  rest: { bytes: [31, 30], characters: 3 },
};

const SHA512: Variant = {
  algorithm: "sha512",
  size: 64,
  order: groups([0, 21, 42], 21, ([a, b, c]) => [b + 1, c + 1, a + 1]),
  rest: { bytes: [63], characters: 2 },
};

/**
 * Computes the digest of SHA-256 crypt (`$5$`) or SHA-512 crypt (`$6$`) as Ulrich Drepper specifies them in "Unix crypt
 * using SHA-256 and SHA-512", version 0.6. The letters and numbers in the comments are those of the specification.
 *
 * @param salt At most 16 bytes.
 * @param rounds At least 1.
 * @returns the encoded digest alone, without the setting before it.
 */
export function shaCrypt(
  kind: "sha256-crypt" | "sha512-crypt",
  password: Buffer,
  salt: Buffer,
  rounds: number,
): string {
  const variant = kind === "sha256-crypt" ? SHA256 : SHA512;
  const { algorithm, size } = variant;

  // 4–8: digest B.
  const b = createHash(algorithm).update(password).update(salt).update(password).digest();
  // 1–3, 9–12: digest A.
  const a = createHash(algorithm).update(password).update(salt).update(stretch(b, password.length));
  for (let bits = password.length; bits > 0; bits >>= 1) a.update(bits & 1 ? b : password);
  const digestA = a.digest();
  // 13–16: the byte sequence P.
  const dp = createHash(algorithm);
  for (let count = 0; count < password.length; count++) dp.update(password);
  const p = stretch(dp.digest(), password.length);
  // 17–20: the byte sequence S.
  const ds = createHash(algorithm);
  for (let count = 0; count < 16 + (digestA[0] ?? 0); count++) ds.update(salt);
  const s = stretch(ds.digest(), salt.length);

  // 21: the rounds. Only the running digest changes in what is hashed, so each of the eight layouts is laid out once.
  const layouts = [false, true].flatMap((odd) =>
    [false, true].flatMap((withSalt) => [false, true].map((withPassword) => layout(odd, withSalt, withPassword))),
  );
  function layout(odd: boolean, withSalt: boolean, withPassword: boolean): { buffer: Buffer; offset: number } {
    const middle = [...(withSalt ? [s] : []), ...(withPassword ? [p] : [])];
    const room = Buffer.alloc(size);
    const parts = odd ? [p, ...middle, room] : [room, ...middle, p];
    const buffer = Buffer.concat(parts);
    return { buffer, offset: odd ? buffer.length - size : 0 };
  }
  let running = digestA;
  for (let round = 0; round < rounds; round++) {
    const chosen = layouts[(round % 2) * 4 + (round % 3 === 0 ? 0 : 2) + (round % 7 === 0 ? 0 : 1)];
    if (chosen === undefined) throw new RangeError("there are eight layouts");
    running.copy(chosen.buffer, chosen.offset);
    running = hash(algorithm, chosen.buffer, "buffer");
  }
  return encode(running, variant);
}

/** Repeats `digest` until it fills `length` bytes. */
function stretch(digest: Buffer, length: number): Buffer {
  return Buffer.alloc(length, digest);
}

/** 22e: the digest in the alphabet of crypt, six bits a character, least significant first. */
function encode(digest: Buffer, { order, rest }: Variant): string {
  let text = "";
  for (const group of order) text += characters(digest, group, 4);
  return text + characters(digest, rest.bytes, rest.characters);
}

function characters(digest: Buffer, bytes: readonly number[], count: number): string {
  let value = bytes.reduce((sum, index) => (sum << 8) | (digest[index] ?? 0), 0);
  let text = "";
  for (let index = 0; index < count; index++) {
    text += ALPHABET.charAt(value & 63);
    value >>= 6;
  }
  return text;
}

type Group = readonly [number, number, number];

function groups(first: Group, count: number, next: (group: Group) => Group): readonly Group[] {
  const all = [first];
  for (let last = first; all.length < count; all.push(last)) last = next(last);
  return all;
}
