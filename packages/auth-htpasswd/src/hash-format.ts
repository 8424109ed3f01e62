import { isStreamSafe } from "@registry-gate/auth-kit";
import { foreignFault, hashLikeFault, isLocked } from "./lookalikes.ts";

/** The ways of writing down a password that Apache and nginx know. */
export type HashKind =
  | "bcrypt"
  | "md5-crypt"
  | "sha256-crypt"
  | "sha512-crypt"
  | "des-crypt"
  | "sha1"
  | "salted-sha1"
  | "plain";

/** A stored password whose format has been recognised. */
export interface PasswordHash {
  readonly kind: HashKind;
  /** The binary logarithm of the iterations for bcrypt, the rounds for SHA crypt, 0 for the others. */
  readonly cost: number;
  /** As it stands in the file; plain text in Normalization Form C and without a `{PLAIN}` before it. */
  readonly text: string;
}

/** What came of looking at a stored password; `fault` says in one line why it cannot be used. */
export type HashReading =
  | { readonly hash: PasswordHash }
  /** `locked` where somebody has made it so on purpose. */
  | { readonly fault: string; readonly locked?: true };

export const BCRYPT_COST: { readonly least: number; readonly most: number } = { least: 4, most: 17 };
const SHA_CRYPT_ROUNDS = { least: 1000, most: 10_000_000, byDefault: 5000 };

const BCRYPT = /^\$2[aby]\$(\d{2})\$[./A-Za-z0-9]{53}$/;
const MD5_CRYPT = /^\$(?:apr1|1)\$[!-#%-9;-~]{0,8}\$[./A-Za-z0-9]{22}$/;
const SHA_CRYPT = /^\$[56]\$(?:rounds=(\d+)\$)?[!-#%-9;-~]{0,16}\$([./A-Za-z0-9]+)$/;
const DES_CRYPT = /^[./A-Za-z0-9]{13}$/;
const SHA1 = /^\{SHA\}[A-Za-z0-9+/]{27}=$/;
const SALTED_SHA1 = /^\{SSHA\}[A-Za-z0-9+/]+={0,2}$/;
const PLAIN = "{PLAIN}";
/** In bytes of UTF-8. */
const LONGEST_PLAIN = 512;

/**
 * Recognises the format of a stored password. What looks like a hash or a lock is never taken for plain text, unless
 * `{PLAIN}` before it says so.
 *
 * @param allowPlaintext Whether plain text is acceptable, with `{PLAIN}` before it as nginx has it, or bare.
 */
export function readHash(text: string, allowPlaintext: boolean): HashReading {
  if (text === "") return { fault: "the password hash is missing" };
  if (text.startsWith("$2")) return readBcrypt(text);
  if (text.startsWith("$apr1$") || text.startsWith("$1$")) {
    return MD5_CRYPT.test(text) ? usable("md5-crypt", 0, text) : { fault: "the MD5 crypt hash is malformed" };
  }
  if (text.startsWith("$5$") || text.startsWith("$6$")) return readShaCrypt(text);
  if (text.startsWith("{SHA}")) {
    return SHA1.test(text) ? usable("sha1", 0, text) : { fault: "the {SHA} hash is malformed" };
  }
  if (text.startsWith("{SSHA}")) {
    const long = Buffer.from(text.slice("{SSHA}".length), "base64").length > 20;
    return SALTED_SHA1.test(text) && long ? usable("salted-sha1", 0, text) : { fault: "the {SSHA} hash is malformed" };
  }
  if (DES_CRYPT.test(text)) return usable("des-crypt", 0, text);
  return readOther(text, allowPlaintext);
}

function readBcrypt(text: string): HashReading {
  const cost = Number(BCRYPT.exec(text)?.[1] ?? Number.NaN);
  if (Number.isNaN(cost)) {
    return { fault: foreignFault(text) ?? "the bcrypt hash is malformed" };
  }
  const { least, most } = BCRYPT_COST;
  if (cost < least || cost > most) return { fault: `the cost of the bcrypt hash is not between ${least} and ${most}` };
  return usable("bcrypt", cost, text);
}

function readShaCrypt(text: string): HashReading {
  const match = SHA_CRYPT.exec(text);
  const kind = text.startsWith("$5$") ? "sha256-crypt" : "sha512-crypt";
  if (match?.[2]?.length !== (kind === "sha256-crypt" ? 43 : 86)) return { fault: "the SHA crypt hash is malformed" };
  const { least, most, byDefault } = SHA_CRYPT_ROUNDS;
  const written = match[1];
  const rounds = written === undefined ? byDefault : Number(written);
  // The reference implementation rewrites such a number, so that no password could ever match what is in the file.
  if (rounds < least || rounds > most || written?.startsWith("0")) {
    return { fault: `the rounds of the SHA crypt hash are not a number between ${least} and ${most}` };
  }
  return usable(kind, rounds, text);
}

function readOther(text: string, allowPlaintext: boolean): HashReading {
  const marked = text.startsWith(PLAIN);
  if (!marked && isLocked(text)) return { fault: "the entry is locked", locked: true };
  const hashLike = marked ? undefined : hashLikeFault(text);
  if (hashLike !== undefined) return { fault: hashLike };
  const password = marked ? text.slice(PLAIN.length) : text;
  if (password === "") return { fault: "the password is missing" };
  if (!allowPlaintext) {
    return {
      fault: marked
        ? "passwords in plain text are not allowed (allowPlaintext)"
        : "the format of the password hash is not known; passwords in plain text are not allowed (allowPlaintext)",
    };
  }
  const possible = Buffer.byteLength(password) <= LONGEST_PLAIN && isStreamSafe(password);
  if (!possible) return { fault: "the password in plain text is too long, or has too many combining marks in a row" };
  return usable("plain", 0, password.normalize("NFC"));
}

function usable(kind: HashKind, cost: number, text: string): HashReading {
  return { hash: { kind, cost, text } };
}
