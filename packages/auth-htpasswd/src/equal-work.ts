import type { Steps } from "@registry-gate/auth-kit";
import { BCRYPT_COST, type HashKind, type PasswordHash } from "./hash-format.ts";

/** What a failed login costs, whoever the user is: of each kind of hash in a file, the most that one of them costs. */
export interface FailureCost {
  readonly most: ReadonlyMap<HashKind, number>;
  /** The kinds of which not all cost the same. */
  readonly mixed: ReadonlySet<HashKind>;
}

/**
 * In a step for each hash.
 *
 * @param isComputed Of a kind: whether any login computes it.
 */
export function* failureCost(
  hashes: Iterable<PasswordHash>,
  isComputed: (kind: HashKind) => boolean = () => true,
): Steps<FailureCost> {
  const most = new Map<HashKind, number>();
  const mixed = new Set<HashKind>();
  for (const { kind, cost } of hashes) {
    yield;
    if (!isComputed(kind)) continue;
    const before = most.get(kind);
    if (before !== undefined && before !== cost) mixed.add(kind);
    if (before === undefined || before < cost) most.set(kind, cost);
  }
  return { most, mixed };
}

/**
 * The dummies to check beside a user's own hash where that does not match, so that the time of the response tells neither
 * who exists nor what kind of hash a user has: with its own hash, each failed login does the whole of the cost.
 *
 * @param own `undefined` for a user who is not in the file.
 */
export function dummyHashes({ most, mixed }: FailureCost, own: PasswordHash | undefined): readonly PasswordHash[] {
  return [...most].flatMap(([kind, cost]) => {
    if (own?.kind !== kind) return splitDummy(kind, cost, mixed.has(kind));
    switch (kind) {
      case "bcrypt":
        // 2^c + (2^c + 2^(c+1) + … + 2^(m-1)) = 2^m
        return Array.from({ length: cost - own.cost }, (_, step) => dummy(kind, own.cost + step));
      case "sha256-crypt":
      case "sha512-crypt":
        // Without rounds, what comes before them is computed all the same.
        return mixed.has(kind) ? [dummy(kind, cost - own.cost)] : [];
      default:
        return [];
    }
  });
}

/** Of a kind in which everybody's rounds come in two parts, the dummy's do as well. */
function splitDummy(kind: HashKind, cost: number, mixed: boolean): readonly PasswordHash[] {
  if (!mixed || kind === "bcrypt") return [dummy(kind, cost)];
  return [dummy(kind, cost), dummy(kind, 0)];
}

/** Roughly how long a failed login takes, in milliseconds. */
export function failureTime({ most }: FailureCost): number {
  return [...most].reduce((sum, [kind, cost]) => sum + milliseconds(kind, cost), 0);
}

function milliseconds(kind: HashKind, cost: number): number {
  switch (kind) {
    case "bcrypt":
      return 0.045 * 2 ** cost;
    case "sha256-crypt":
    case "sha512-crypt":
      return 0.001 * cost;
    case "md5-crypt":
      return 0.7;
    case "des-crypt":
      return 0.2;
    default:
      return 0.001;
  }
}

/** A hash that no password is known for. */
function dummy(kind: HashKind, cost: number): PasswordHash {
  return { kind, cost, text: textOf(kind, cost) };
}

function textOf(kind: HashKind, cost: number): string {
  switch (kind) {
    case "bcrypt":
      return `$2b$${String(Math.max(cost, BCRYPT_COST.least)).padStart(2, "0")}$${".".repeat(53)}`;
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
