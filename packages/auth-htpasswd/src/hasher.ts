import { verify as verifyBcrypt } from "@node-rs/bcrypt";
import { BackendUnavailableError } from "@registry-gate/auth";
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

/** Compares passwords with hashes off the event loop, a limited number at once. */
export interface Hasher {
  /**
   * Whether the password is the one that was hashed.
   *
   * @throws {BackendUnavailableError} when too many checks wait already, when `signal` aborts, or after `close`.
   */
  matches(hash: PasswordHash, password: string, signal: AbortSignal): Promise<boolean>;
  /** Refuses further checks, lets those under way finish and ends the threads. Calling it again does nothing more. */
  close(): Promise<void>;
}

/** What bcrypt looks at. A longer password would be accepted by its first 72 bytes. */
export const BCRYPT_MAX_BYTES = 72;

/** The time of MD5 crypt and SHA crypt grows with the length; crypt(3) of libxcrypt has the same limit. */
const MAX_BYTES = 512;

export function createHasher({ backend, concurrency, queue }: HasherOptions): Hasher {
  const pool = createWorkerPool();
  /** In the order of arrival. */
  const waiting = new Set<() => void>();
  let running = 0;
  let closing: Promise<void> | undefined;
  let drained: (() => void) | undefined;

  const unavailable = (reason: string, cause?: unknown): BackendUnavailableError =>
    new BackendUnavailableError(backend, reason, cause === undefined ? {} : { cause });

  function turn(signal: AbortSignal): Promise<void> {
    if (running < concurrency) {
      running++;
      return Promise.resolve();
    }
    if (waiting.size >= queue) return Promise.reject(unavailable(`${queue} password checks are waiting already`));
    return new Promise((resolve, reject) => {
      const go = (): void => {
        signal.removeEventListener("abort", giveUp);
        resolve();
      };
      const giveUp = (): void => {
        waiting.delete(go);
        reject(unavailable("the request was given up"));
        settle();
      };
      waiting.add(go);
      signal.addEventListener("abort", giveUp, { once: true });
    });
  }

  /** Hands the turn to the next check. */
  function done(): void {
    const [next] = waiting;
    if (next === undefined) running--;
    else {
      waiting.delete(next);
      next();
    }
    settle();
  }

  function settle(): void {
    if (running === 0 && waiting.size === 0) drained?.();
  }

  async function compute(hash: PasswordHash, password: string): Promise<boolean> {
    try {
      return await (isComputed(hash) ? pool.run({ hash, password }) : verifyBcrypt(password, hash.text));
    } catch (error) {
      throw unavailable("a password could not be checked", error);
    } finally {
      done();
    }
  }

  return {
    async matches(hash, password, signal) {
      if (closing !== undefined) throw unavailable("closed");
      if (signal.aborted) throw unavailable("the request was given up");
      if (!isUsable(password, hash)) return false;
      if (isCheap(hash)) return matchHash(hash, password);
      await turn(signal);
      // A computation cannot be stopped: an aborted one keeps its turn until it is over, and only the answer is early.
      return orAbort(compute(hash, password), signal, () => unavailable("the request was given up"));
    },
    close() {
      closing ??= new Promise<void>((resolve) => {
        drained = resolve;
        settle();
      }).then(() => pool.close());
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
