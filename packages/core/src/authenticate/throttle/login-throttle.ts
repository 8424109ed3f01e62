import { clientNetwork, parseOptions } from "@registry-gate/auth-kit";
import { z } from "zod";
import { type LoginThrottled, loginThrottled } from "../../observe/channels.ts";
import { keyedHash } from "../keyed-hash.ts";
import { attemptedName } from "./attempted-name.ts";
import { createLimiter, type Limiter, type Reservation } from "./limiter.ts";
import { resolveThrottle, type ThrottleOptions, throttleOptionsSchema } from "./throttle-options.ts";

/** A login to verify. */
export interface LoginAttempt {
  /** The address of the client behind trusted proxies; `undefined` on a Unix socket. */
  readonly client: string | undefined;
  /** `undefined` for credentials that do not name a user before they are verified. */
  readonly username: string | undefined;
  /** Such credentials: repeated failures of one token are not guesses, and do not count for the address. */
  readonly token?: string | undefined;
  /** Aborts when the outcome is no longer needed. */
  readonly signal: AbortSignal;
}

/** The outcome of a login: `unknown` where it could not be verified. */
export type AttemptOutcome = "passed" | "failed" | "unknown";

/** The login was not verified: too many failed. */
export interface Throttled {
  readonly outcome: "throttled";
  /** For the log. */
  readonly reason: string;
  /** In whole seconds, at least 1. */
  readonly retryAfter: number;
}

/**
 * Limits failed logins by address, and by user and address; never by user alone, so that nobody can lock out a user
 * from elsewhere. All ways to sign in to one set of users should share one.
 */
export interface LoginThrottle {
  /**
   * Verifies a login unless too many have failed. An error of `check` counts as a failure where the signal has aborted,
   * so that guesses without waiting for the response count; but not where the signal is a timeout.
   *
   * @returns the result of `check`, or that it was not called.
   * @throws the reason of the signal, and errors of `check` and of the store.
   */
  attempt<T>(
    login: LoginAttempt,
    check: () => Promise<T>,
    judge: (result: T) => AttemptOutcome,
  ): Promise<T | Throttled>;
  /**
   * Forgets failed logins: those of an address, and, with a user, those of the user from there.
   *
   * @throws errors of the store.
   */
  release(login: Pick<LoginAttempt, "client" | "username">): Promise<void>;
}

/** How long a user who signed in from an address is exempt from the failures of others there. */
const TRUSTED_FOR = 24 * 60 * 60 * 1000;

/**
 * @param options A throttle is returned unchanged.
 * @throws {InvalidOptionsError} with every fault.
 */
export function loginThrottle(options: ThrottleOptions | LoginThrottle = {}): LoginThrottle {
  if (isLoginThrottle(options)) return options;
  const resolved = resolveThrottle(parseOptions(throttleOptionsSchema, options));
  const { perAddress, perUserAndAddress, backoff, ipv6Prefix, store } = resolved;
  // Without a key, so that all processes with a common store compute the same hashes.
  const keyOf = keyedHash(new Uint8Array());
  // A token is a secret: what is stored must not help to find it.
  const tokenKeyOf = keyedHash();
  const trusted = store.counters("login:trusted");
  const users = createLimiter({ limit: perUserAndAddress, backoff, store, name: "login:user" });
  const addresses = createLimiter({ limit: perAddress, backoff, store, name: "login:address" });

  const userKey = (username: string, network: string): string => keyOf([attemptedName(username), network]);

  function placeOf(client: string | undefined): { readonly network: string; readonly address: string } {
    const network = clientNetwork(client, ipv6Prefix);
    return { network, address: keyOf([network]) };
  }

  async function admit({ client, username, token, signal }: LoginAttempt): Promise<Resolve | Throttled> {
    const { network, address } = placeOf(client);
    const user = username === undefined ? tokenKeyOf([token ?? "", network]) : userKey(username, network);
    const byUser = await reserve(users, user, signal, username === undefined ? "token" : "user");
    if ("outcome" in byUser) return byUser;
    try {
      // Tokens are not trusted: new ones appear all the time and would evict the users.
      const known = username !== undefined && (await trusted.get(user)) !== undefined;
      const byAddress = known ? undefined : await reserve(addresses, address, signal, "address");
      if (byAddress !== undefined && "outcome" in byAddress) {
        await byUser.returned();
        return byAddress;
      }
      return async (outcome) => {
        // Not reset by success: otherwise anybody with an account could reset the count of the address.
        const onAddress = outcome === "failed" ? byAddress?.failed() : byAddress?.returned();
        if (outcome === "passed") {
          const trust = username === undefined ? undefined : trusted.set(user, 1, TRUSTED_FOR);
          await Promise.all([trust, byUser.succeeded(), onAddress]);
        } else await Promise.all([outcome === "failed" ? byUser.failed() : byUser.returned(), onAddress]);
      };
    } catch (error) {
      await byUser.returned();
      throw error;
    }
  }

  return {
    async release({ client, username }) {
      const { network, address } = placeOf(client);
      await addresses.release(address);
      if (username !== undefined) await users.release(userKey(username, network));
    },
    async attempt(login, check, judge) {
      const resolve = await admit(login);
      if ("outcome" in resolve) return resolve;
      let outcome: AttemptOutcome = "failed";
      try {
        const result = await check();
        outcome = judge(result);
        return result;
      } catch (error) {
        outcome = isGone(login.signal) ? "failed" : "unknown";
        throw error;
      } finally {
        await resolve(outcome);
      }
    },
  };
}

function isLoginThrottle(value: unknown): value is LoginThrottle {
  return typeof value === "object" && value !== null && "attempt" in value && typeof value.attempt === "function";
}

/** The schema of an option for a throttle, its options, or `false` for none. */
export const throttleSchema: z.ZodType<ThrottleOptions | LoginThrottle | false> = z.union(
  [z.literal(false), z.custom<LoginThrottle>(isLoginThrottle), throttleOptionsSchema],
  "must be false, a throttle, or hold its options",
);

/** Whether the client disconnected. A timeout concerns the backend instead. */
function isGone({ aborted, reason }: AbortSignal): boolean {
  return aborted && !(reason instanceof DOMException && reason.name === "TimeoutError");
}

type Resolve = (outcome: AttemptOutcome) => Promise<unknown>;

async function reserve(
  limiter: Limiter,
  key: string,
  signal: AbortSignal,
  limit: LoginThrottled["limit"],
): Promise<Reservation | Throttled> {
  const { reservation, retryAfter } = await limiter.reserve(key, signal);
  if (reservation !== undefined) return reservation;
  const seconds = Math.max(1, Math.ceil(retryAfter / 1000));
  loginThrottled.publish(() => ({ limit }));
  return { outcome: "throttled", reason: `too many failed logins ${descriptions[limit]}`, retryAfter: seconds };
}

const descriptions: Readonly<Record<LoginThrottled["limit"], string>> = {
  user: "of this user from this address",
  token: "with this token from this address",
  address: "from this address",
};
