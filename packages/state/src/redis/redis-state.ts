import { parseOptions } from "@registry-gate/auth-kit";
import { z } from "zod";
import {
  maxListed,
  notANumber,
  requireAmount,
  requireKey,
  requirePrefix,
  requireTtl,
  requireValue,
  tooMany,
} from "../bounds.ts";
import type { StateEntry, StateStore } from "../state-store.ts";
import { StateUnavailableError } from "../state-unavailable-error.ts";
import { type RedisReply, redisConnection } from "./connection.ts";
import { redisUrlSchema } from "./redis-url.ts";
import * as scripts from "./scripts.ts";

/** Options of {@link redisState}. */
export interface RedisStateOptions {
  /**
   * `redis://[user:password@]host[:port][/database]`, or `rediss://` for TLS. User and password are percent-encoded.
   */
  readonly url: string;
}

/** Before every key, so that a database can be shared. */
const keyPrefix = "registry-gate:";
/** How many keys one step of a scan looks at, and one request reads. */
const batch = 1000;

const schema: z.ZodType<RedisStateOptions> = z.strictObject({ url: redisUrlSchema }, "must hold url");

/**
 * A store in Redis 6 or later, or Valkey, which replicas of the gate on several machines can share. It connects when it
 * is first used, and again after the connection was lost.
 *
 * @throws {InvalidOptionsError} at `url`.
 */
export function redisState(options: RedisStateOptions): StateStore {
  const connection = redisConnection(parseOptions(schema, options).url);
  const { send } = connection;
  const evaluate = (script: string, key: string, ...parameters: readonly string[]): Promise<RedisReply> =>
    send(["EVAL", script, "1", keyPrefix + key, ...parameters]);

  /** Everything is judged before it is sent. */
  async function write(key: string, value: string, ttl: number | undefined, condition: readonly string[]) {
    requireKey(key);
    requireValue(value);
    const expiry = ttl === undefined ? [] : ["PX", String(requireTtl(ttl))];
    return send(["SET", keyPrefix + key, value, ...expiry, ...condition]);
  }

  async function keysOf(prefix: string): Promise<readonly string[]> {
    // A step may give a key that another one has given already.
    const keys = new Set<string>();
    let cursor = "0";
    do {
      const reply = await send([
        "SCAN",
        cursor,
        "MATCH",
        `${globLiteral(keyPrefix + prefix)}*`,
        "COUNT",
        String(batch),
      ]);
      const [next, found] = arrayReply(reply);
      for (const key of arrayReply(found)) keys.add(textReply(key));
      if (keys.size > maxListed) throw tooMany();
      cursor = textReply(next);
    } while (cursor !== "0");
    return [...keys].sort();
  }

  return {
    async get(key) {
      requireKey(key);
      return optionalText(await send(["GET", keyPrefix + key]));
    },
    async getWithTtl(key) {
      requireKey(key);
      const [found, left] = arrayReply(await evaluate(scripts.getWithTtl, key));
      const value = optionalText(found);
      const ttl = numberReply(left);
      return value === undefined ? undefined : { value, ttl: ttl < 0 ? undefined : ttl };
    },
    async set(key, value, ttl) {
      await write(key, value, ttl, []);
    },
    add: async (key, value, ttl) => optionalText(await write(key, value, ttl, ["NX"])) !== undefined,
    async replace(key, expected, value, ttl) {
      requireKey(key);
      requireValue(value);
      const expiry = ttl === undefined ? "" : String(requireTtl(ttl));
      return numberReply(await evaluate(scripts.replace, key, expected, value, expiry)) === 1;
    },
    async delete(key) {
      requireKey(key);
      return numberReply(await send(["DEL", keyPrefix + key])) === 1;
    },
    async list(prefix) {
      requirePrefix(prefix);
      const keys = await keysOf(prefix);
      const entries: StateEntry[] = [];
      for (let from = 0; from < keys.length; from += batch) {
        const some = keys.slice(from, from + batch);
        const values = arrayReply(await send(["MGET", ...some]));
        for (const [index, key] of some.entries()) {
          const value = optionalText(values[index]);
          if (value !== undefined) entries.push({ key: key.slice(keyPrefix.length), value });
        }
      }
      return entries;
    },
    async increment(key, amount, ttl) {
      requireKey(key);
      requireAmount(amount);
      const time = requireTtl(ttl);
      try {
        return numberReply(await evaluate(scripts.increment, key, String(amount), String(time)));
      } catch (error) {
        throw error instanceof Error && error.message.includes("not an integer") ? notANumber(error) : error;
      }
    },
    async extend(key, ttl) {
      requireKey(key);
      return numberReply(await evaluate(scripts.extend, key, String(requireTtl(ttl)))) === 1;
    },
    async check(signal) {
      await send(["PING"], signal);
    },
    async close() {
      connection.close();
    },
  };
}

/** A pattern that matches a text alone (redis.io/docs/latest/commands/keys). */
function globLiteral(text: string): string {
  return text.replace(/[*?[\]^\\-]/g, "\\$&");
}

function optionalText(reply: RedisReply): string | undefined {
  return reply === null ? undefined : textReply(reply);
}

function textReply(reply: RedisReply): string {
  if (typeof reply === "string") return reply;
  throw unexpectedReply();
}

function numberReply(reply: RedisReply): number {
  if (typeof reply === "number") return reply;
  throw unexpectedReply();
}

function arrayReply(reply: RedisReply): readonly RedisReply[] {
  if (Array.isArray(reply)) return reply;
  throw unexpectedReply();
}

function unexpectedReply(): StateUnavailableError {
  return new StateUnavailableError("Redis: unexpected reply");
}
