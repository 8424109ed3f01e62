import { type AuthRequest, BackendUnavailableError } from "@registry-gate/auth";
import {
  clientNetwork,
  fairQueue,
  type ObserveQueue,
  QueueRefusedError,
  type Release,
  untilAborted,
} from "@registry-gate/auth-kit";
import { type HashChecks, isCheap } from "./hash-checks.ts";
import type { PasswordHash } from "./hash-format.ts";
import { hashQueue } from "./observe/hash-queue.ts";

export interface HasherOptions {
  /** The id of the backend, for its errors. */
  readonly backend: string;
  /** How many logins are checked at once. */
  readonly concurrency: number;
  /** How many logins may wait for their turn. */
  readonly queue: number;
  /** Closed with the hasher. */
  readonly checks: HashChecks;
}

/** The request whose password is checked. */
export type Caller = Pick<AuthRequest, "client" | "signal">;

/** What a password is checked against. */
export interface Candidate {
  /** The hash of the user, if there is one. */
  readonly own: PasswordHash | undefined;
  /** Checked as well where the user's hash does not match, so that every failed login takes as long. */
  readonly dummyHashes: readonly PasswordHash[];
}

/** Compares passwords with hashes, of a limited number of logins at once, one client after the other. */
export interface Hasher {
  /**
   * Whether the password is the one that the user's hash was made of.
   *
   * @throws {BackendUnavailableError} when too many logins wait already, when the caller's signal aborts, or after
   * `close`.
   */
  matches(candidate: Candidate, password: string, caller: Caller): Promise<boolean>;
  /** Refuses further checks, lets those under way finish and ends the threads. Calling it again does nothing more. */
  close(): Promise<void>;
}

/** What bcrypt looks at. A longer password would be accepted by its first 72 bytes. */
export const BCRYPT_MAX_BYTES = 72;

/** The time of MD5 crypt and SHA crypt grows with the length; crypt(3) of libxcrypt has the same limit. */
const MAX_BYTES = 512;

export function createHasher({ backend, concurrency, queue: maxWaiting, checks }: HasherOptions): Hasher {
  const observe: ObserveQueue = (build) => hashQueue.publish(() => ({ backend, ...build() }));
  const queue = fairQueue({ concurrency, maxWaiting, observe });
  let closing: Promise<void> | undefined;

  const unavailable = (reason: string, cause?: unknown): BackendUnavailableError =>
    new BackendUnavailableError(backend, reason, cause === undefined ? {} : { cause });
  const abortedError = (): BackendUnavailableError => unavailable("the request was aborted");

  async function turn({ client, signal }: Caller): Promise<Release> {
    try {
      return await queue.acquire(clientNetwork(client), signal);
    } catch (error) {
      if (!(error instanceof QueueRefusedError)) throw error;
      if (error.kind === "aborted") throw abortedError();
      const many = `${maxWaiting} password checks are waiting already`;
      throw unavailable(error.kind === "full" ? many : error.message, error);
    }
  }

  /** Checks the user's own hash first. The dummies only take time: they are skipped after a match or an abort. */
  async function compute({ own, dummyHashes }: Comparisons, signal: AbortSignal): Promise<boolean> {
    try {
      for (const { hash, password } of own) {
        if (await checks.matches(hash, password)) return true;
        if (signal.aborted) throw abortedError();
      }
      for (const { hash, password } of dummyHashes) {
        if (signal.aborted) throw abortedError();
        await checks.matches(hash, password);
      }
      return false;
    } catch (error) {
      throw error instanceof BackendUnavailableError ? error : unavailable("a password could not be checked", error);
    }
  }

  return {
    async matches(candidate, password, caller) {
      if (closing !== undefined) throw unavailable("closed");
      const { signal } = caller;
      if (signal.aborted) throw abortedError();
      const comparisons = comparisonsOf(candidate, password);
      if ([...comparisons.own, ...comparisons.dummyHashes].every(({ hash }) => isCheap(hash))) {
        return compute(comparisons, signal);
      }
      const release = await turn(caller);
      // A computation cannot be stopped: an aborted one keeps its slot until it ends.
      return untilAborted(compute(comparisons, signal).finally(release), signal, abortedError);
    },
    close() {
      closing ??= queue.idle().then(() => checks.close());
      return closing;
    },
  };
}

interface Comparison {
  readonly hash: PasswordHash;
  readonly password: string;
}

interface Comparisons {
  readonly own: readonly Comparison[];
  readonly dummyHashes: readonly Comparison[];
}

/** Each hash is compared with each form of the password, so that the time depends on the password and not on the user. */
function comparisonsOf({ own, dummyHashes }: Candidate, password: string): Comparisons {
  const forms = formsOf(password);
  const withForms = (hash: PasswordHash): Comparison[] =>
    forms.filter((form) => isUsable(form, hash)).map((form) => ({ hash, password: form }));
  return { own: own === undefined ? [] : withForms(own), dummyHashes: dummyHashes.flatMap(withForms) };
}

/**
 * The password, and, where it differs, its decomposed form (Normalization Form D): on macOS, hashes were made of that. A
 * password of ASCII has one form alone.
 */
function formsOf(password: string): readonly string[] {
  if (password.length > MAX_BYTES) return [password];
  const decomposed = password.normalize("NFD");
  return decomposed === password ? [password] : [password, decomposed];
}

/** Whether any hash of this kind could have come from this password. */
function isUsable(password: string, { kind }: PasswordHash): boolean {
  if (password === "" || password.includes("\0") || /\p{Surrogate}/u.test(password)) return false;
  return Buffer.byteLength(password) <= (kind === "bcrypt" ? BCRYPT_MAX_BYTES : MAX_BYTES);
}
