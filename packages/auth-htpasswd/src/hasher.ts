import { verify as verifyBcrypt } from "@node-rs/bcrypt";
import { type AuthRequest, BackendUnavailableError } from "@registry-gate/auth";
import { clientNetwork, fairQueue, QueueRefusedError, type Release } from "@registry-gate/auth-kit";
import type { PasswordHash } from "./hash-format.ts";
import { type ComputedHash, matchHash } from "./match-hash.ts";
import { createWorkerPool } from "./worker-pool.ts";

export interface HasherOptions {
  /** The id of the backend, for its errors. */
  readonly backend: string;
  /** How many hashes are computed at once. */
  readonly concurrency: number;
  /** How many checks may wait for their turn. */
  readonly queue: number;
}

/** Who has a password checked. */
export type Caller = Pick<AuthRequest, "client" | "signal">;

/** Compares passwords with hashes off the event loop, a limited number at once, of one client after the other. */
export interface Hasher {
  /**
   * Whether the password is the one that was hashed.
   *
   * @throws {BackendUnavailableError} when too many checks wait already, when the caller's signal aborts, or after
   * `close`.
   */
  matches(hash: PasswordHash, password: string, caller: Caller): Promise<boolean>;
  /** Refuses further checks, lets those under way finish and ends the threads. Calling it again does nothing more. */
  close(): Promise<void>;
}

/** What bcrypt looks at. A longer password would be accepted by its first 72 bytes. */
export const BCRYPT_MAX_BYTES = 72;

/** The time of MD5 crypt and SHA crypt grows with the length; crypt(3) of libxcrypt has the same limit. */
const MAX_BYTES = 512;

export function createHasher({ backend, concurrency, queue: maxWaiting }: HasherOptions): Hasher {
  const pool = createWorkerPool();
  const queue = fairQueue({ concurrency, maxWaiting });
  let closing: Promise<void> | undefined;

  const unavailable = (reason: string, cause?: unknown): BackendUnavailableError =>
    new BackendUnavailableError(backend, reason, cause === undefined ? {} : { cause });
  const givenUp = (): BackendUnavailableError => unavailable("the request was given up");

  async function turn({ client, signal }: Caller): Promise<Release> {
    try {
      return await queue.acquire(clientNetwork(client), signal);
    } catch (error) {
      if (!(error instanceof QueueRefusedError)) throw error;
      if (error.kind === "aborted") throw givenUp();
      throw unavailable(
        error.kind === "full" ? `${maxWaiting} password checks are waiting already` : error.message,
        error,
      );
    }
  }

  async function compute(hash: PasswordHash, password: string, release: Release): Promise<boolean> {
    try {
      return await (isComputed(hash) ? pool.run({ hash, password }) : verifyBcrypt(password, hash.text));
    } catch (error) {
      throw unavailable("a password could not be checked", error);
    } finally {
      release();
    }
  }

  return {
    async matches(hash, password, caller) {
      if (closing !== undefined) throw unavailable("closed");
      if (caller.signal.aborted) throw givenUp();
      if (!isUsable(password, hash)) return false;
      if (isCheap(hash)) return matchHash(hash, password);
      const release = await turn(caller);
      // A computation cannot be stopped: an aborted one keeps its turn until it is over, and only the answer is early.
      return orAbort(compute(hash, password, release), caller.signal, givenUp);
    },
    close() {
      closing ??= queue.idle().then(() => pool.close());
      return closing;
    },
  };
}

/** Whether any hash could have come from this password. */
function isUsable(password: string, hash: PasswordHash): boolean {
  if (password === "" || password.includes("\0") || /\p{Surrogate}/u.test(password)) return false;
  return Buffer.byteLength(password) <= (hash.kind === "bcrypt" ? BCRYPT_MAX_BYTES : MAX_BYTES);
}

function isComputed(hash: PasswordHash): hash is ComputedHash {
  return hash.kind !== "bcrypt";
}

/** One digest costs less than sending the task to another thread. */
function isCheap(hash: PasswordHash): hash is ComputedHash {
  return hash.kind === "sha1" || hash.kind === "salted-sha1" || hash.kind === "plain";
}

function orAbort<T>(work: Promise<T>, signal: AbortSignal, error: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(error());
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
