import { AsyncLocalStorage } from "node:async_hooks";
import type { AuthBackend } from "@registry-gate/auth";

/** Takes what the code of one backend threw where nobody could catch it. */
interface Owner {
  readonly claim: (error: unknown) => void;
}

/**
 * Keeps what a library throws too late with whatever it was doing: an error in a timer, in an event of a socket or of an
 * emitter, and a rejection that nobody awaited.
 */
export interface ErrorContainment {
  /**
   * Does the work of one login. It rejects with what `work` rejects with, or with what it, or whatever it began, throws
   * where nobody can catch it.
   *
   * @param until Ends the work. Whatever listens must listen to the signal that `work` is given, which aborts with it: an
   * abort is an event of whoever aborts, and so would be what a listener throws.
   */
  run<T>(work: (signal: AbortSignal) => Promise<T>, until?: AbortSignal): Promise<T>;
  /**
   * Does work for all logins, such as opening connections. What comes of an error in it is unknown, so that every login
   * at work fails with an {@link UnownedError}.
   */
  runShared<T>(work: () => T): T;
}

/** Code that several logins share threw an error that nobody caught: what has become of a login is unknown. */
export class UnownedError extends Error {
  override readonly name = "UnownedError";
}

/** Asked for anew rather than made, so that two copies of this package in a process know of each other's work. */
const owners = sharedStorage(Symbol.for("@registry-gate/auth-kit/owners"));

/** Of one containment, so that a timer that repeats cannot fill the log. In milliseconds. */
const reportInterval = 1000;

/**
 * Makes a containment for one backend.
 *
 * @param report Is told of an error that is no login's any more, or of no single one; at most once a second.
 */
export function errorContainment(report: (error: unknown) => void): ErrorContainment {
  const atWork = new Set<(error: unknown) => void>();
  let reportedAt = Number.NEGATIVE_INFINITY;

  const shared: Owner = {
    claim(error) {
      const now = performance.now();
      if (now - reportedAt >= reportInterval) {
        reportedAt = now;
        tell(report, error);
      }
      for (const fail of [...atWork]) fail(new UnownedError("code that logins share threw an error"));
    },
  };

  return {
    runShared: (work) => owners.run(shared, work),
    run: (work, until) =>
      new Promise((resolve, reject) => {
        const ended = new AbortController();
        const abort = (): void => owners.run(owner, () => ended.abort(until?.reason));
        const settle = (): void => {
          atWork.delete(fail);
          until?.removeEventListener("abort", abort);
        };
        const fail = (error: unknown): void => {
          settle();
          reject(error);
        };
        atWork.add(fail);
        // After its end, what it began may serve other logins: a connection that is kept.
        const owner: Owner = { claim: (error) => (atWork.has(fail) ? fail(error) : shared.claim(error)) };
        if (until?.aborted === true) abort();
        until?.addEventListener("abort", abort, { once: true });
        owners
          .run(owner, async () => work(ended.signal))
          .then((value) => {
            settle();
            resolve(value);
          }, fail);
      }),
  };
}

/** A thrown value may throw again when it is read. */
function tell(report: (error: unknown) => void, error: unknown): void {
  try {
    report(error);
  } catch {
    report(new Error("an error that cannot be read"));
  }
}

let claimed: { readonly error: unknown; readonly owner: Owner } | undefined;

/**
 * For listeners of `uncaughtException` and `unhandledRejection`: gives an error to the work that it came from, in whose
 * context Node calls them.
 *
 * @returns whether it came from any. Then it has been dealt with, and must not end the process.
 */
export function claimUncaught(error: unknown): boolean {
  const owner = owners.getStore();
  if (owner === undefined) return false;
  // Another listener of the same event has been here already.
  if (claimed !== undefined && claimed.error === error && claimed.owner === owner) return true;
  claimed = { error, owner };
  queueMicrotask(() => {
    claimed = undefined;
  });
  owner.claim(error);
  return true;
}

const known = new WeakMap<AuthBackend, ErrorContainment>();

/** The containment that a backend was opened in, or else one of its own. */
export function containmentOf(backend: AuthBackend, report: (error: unknown) => void): ErrorContainment {
  const containment = known.get(backend) ?? errorContainment(report);
  known.set(backend, containment);
  return containment;
}

/** Opens a backend, so that what it begins there, too, is contained. */
export async function openContained(
  open: () => Promise<AuthBackend>,
  report: (error: unknown) => void,
): Promise<AuthBackend> {
  const containment = errorContainment(report);
  const backend = await containment.runShared(open);
  if (!known.has(backend)) known.set(backend, containment);
  return backend;
}

function sharedStorage(key: symbol): AsyncLocalStorage<Owner> {
  const existing: unknown = Reflect.get(globalThis, key);
  if (existing instanceof AsyncLocalStorage) return existing;
  const storage = new AsyncLocalStorage<Owner>();
  Reflect.set(globalThis, key, storage);
  return storage;
}
