import type { PasswordHash } from "./hash-format.ts";

/**
 * A hash that no password is known for and whose check takes as long as that of most users in the file; where several
 * kinds are equally common, the dearest. It is checked for unknown users, so that the time of the answer does not tell
 * who exists.
 *
 * @returns `undefined` where there are no users, and so nothing to tell.
 */
export function dummyHash(hashes: Iterable<PasswordHash>): PasswordHash | undefined {
  const groups = new Map<string, { hash: PasswordHash; count: number }>();
  for (const hash of hashes) {
    const key = `${hash.kind} ${hash.cost}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { hash, count: 1 });
    else group.count++;
  }
  const [commonest] = [...groups.values()].sort((a, b) => b.count - a.count || work(b.hash) - work(a.hash));
  return commonest === undefined ? undefined : likeness(commonest.hash);
}

/** Roughly how long a check takes, in microseconds. */
function work({ kind, cost }: PasswordHash): number {
  switch (kind) {
    case "bcrypt":
      return 45 * 2 ** cost;
    case "sha256-crypt":
    case "sha512-crypt":
      return cost;
    case "md5-crypt":
      return 700;
    case "des-crypt":
      return 200;
    default:
      return 1;
  }
}

function likeness({ kind, cost }: PasswordHash): PasswordHash {
  return { kind, cost, text: textOf(kind, cost) };
}

function textOf(kind: PasswordHash["kind"], cost: number): string {
  switch (kind) {
    case "bcrypt":
      return `$2b$${String(cost).padStart(2, "0")}$${".".repeat(53)}`;
    case "md5-crypt":
      return `$apr1$........$${".".repeat(22)}`;
    case "sha256-crypt":
      return `$5$rounds=${cost}$${".".repeat(16)}$${".".repeat(43)}`;
    case "sha512-crypt":
      return `$6$rounds=${cost}$${".".repeat(16)}$${".".repeat(86)}`;
    case "des-crypt":
      return ".".repeat(13);
    case "sha1":
      return `{SHA}${"A".repeat(27)}=`;
    case "salted-sha1":
      return `{SSHA}${"A".repeat(32)}`;
    case "plain":
      return "not the password of anybody";
  }
}
