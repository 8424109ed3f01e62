/** Blanks, quotes of any kind, invisible marks and signs of shells that somebody has put before a stored password. */
const DECORATION = /^[\s\p{Cf}\p{Pi}\p{Pf}"'`\\=]+/u;

/** Formats that are recognised only to name them in the warning. */
const FOREIGN: readonly (readonly [RegExp, string])[] = [
  [/^\$2x?\$/, "this old variant of bcrypt is not supported"],
  [/^\$g?y\$/, "yescrypt is not supported"],
  [/^\$7\$/, "scrypt is not supported"],
  [/^\$argon2/, "Argon2 is not supported"],
  [/^\$(?:md5|sha1|3)[$,]/, "this kind of crypt is not supported"],
  [/^_[./A-Za-z0-9]{19}$/, "BSDi extended DES crypt is not supported"],
];

/** How crypt(3) and its imitators begin, and the password schemes of LDAP (RFC 3112) and Dovecot. */
const HASH = /^(?:\$[^$\s]*\$|\$[a-z0-9-]+,|\{[^}]*\})/;

/** Why a text that looks like the hash of a foreign format cannot be used; `undefined` for any other. */
export function foreignFault(text: string): string | undefined {
  return FOREIGN.find(([pattern]) => pattern.test(text))?.[1];
}

/**
 * Why a text cannot be meant as a password in plain text: it looks like a hash, or like one with something before it.
 * Whoever could read the file would otherwise know a password that opens the account.
 */
export function hashLikeFault(text: string): string | undefined {
  const bare = text.replace(DECORATION, "");
  if (/^\$\$[^$\s]*\$/.test(bare)) {
    return "the dollar signs of the hash are doubled, as in a compose file: write each of them once";
  }
  const foreign = foreignFault(bare);
  if (foreign === undefined && !HASH.test(bare)) return undefined;
  if (bare !== text) return "blanks, quotes or other marks stand before the hash";
  return foreign ?? "the format of the password hash is not known";
}

/**
 * Whether an entry is locked: `passwd -l` and others put `!` or `*` in the place of the hash or before it. A password in
 * plain text could be locked in the same way, so what follows them is none.
 */
export function isLocked(text: string): boolean {
  return /^[!*]/.test(text.replace(DECORATION, ""));
}

/** Whether a field behind the stored password is what htdigest writes there: `user:realm:MD5`, or SHA-256 (RFC 7616). */
export function isDigest(field: string): boolean {
  return /^(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{64})$/.test(field);
}
