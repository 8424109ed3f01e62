import { type StateStore, StateUnavailableError } from "@registry-gate/state";
import { z } from "zod";
import { type Channel, ChannelError } from "./channel.ts";
import { nothing, type Topic, topic } from "./topic.ts";

/** The store that all processes of a gate share where the configuration names none: it stands in the primary's memory. */

const entry = z.object({ key: z.string(), value: z.string() });
const keyed = z.object({ key: z.string() });
const ttl = z.number().exactOptional();
const written = z.object({ key: z.string(), value: z.string(), ttl });

const topics = {
  get: topic("state/get", keyed, z.string().nullable()),
  getWithTtl: topic(
    "state/get-with-ttl",
    keyed,
    z.object({ value: z.string(), ttl: z.number().nullable() }).nullable(),
  ),
  set: topic("state/set", written, nothing),
  add: topic("state/add", written, z.boolean()),
  replace: topic("state/replace", z.object({ ...written.shape, expected: z.string() }), z.boolean()),
  delete: topic("state/delete", keyed, z.boolean()),
  list: topic("state/list", z.object({ prefix: z.string() }), z.array(entry)),
  increment: topic("state/increment", z.object({ key: z.string(), amount: z.number(), ttl: z.number() }), z.number()),
  extend: topic("state/extend", z.object({ key: z.string(), ttl: z.number() }), z.boolean()),
  check: topic("state/check", nothing, nothing),
};

/** What a store promises its users, in milliseconds. */
const timeLimit = 1500;

/** Serves a worker from a store of the primary. */
export function serveState(channel: Channel, store: StateStore): void {
  channel.reply(topics.get, async ({ key }) => (await store.get(key)) ?? null);
  channel.reply(topics.getWithTtl, async ({ key }) => {
    const found = await store.getWithTtl(key);
    return found === undefined ? null : { value: found.value, ttl: found.ttl ?? null };
  });
  channel.reply(topics.set, async ({ key, value, ttl }) => {
    await store.set(key, value, ttl);
    return null;
  });
  channel.reply(topics.add, ({ key, value, ttl }) => store.add(key, value, ttl));
  channel.reply(topics.replace, ({ key, expected, value, ttl }) => store.replace(key, expected, value, ttl));
  channel.reply(topics.delete, ({ key }) => store.delete(key));
  channel.reply(topics.list, async ({ prefix }) => [...(await store.list(prefix))]);
  channel.reply(topics.increment, ({ key, amount, ttl }) => store.increment(key, amount, ttl));
  channel.reply(topics.extend, ({ key, ttl }) => store.extend(key, ttl));
  channel.reply(topics.check, async () => {
    await store.check();
    return null;
  });
}

/** The store of the primary, as a worker uses it. Closing it does nothing: it ends with the primary. */
export function stateOfPrimary(channel: Channel): StateStore {
  async function ask<Request, Reply>(asked: Topic<Request, Reply>, request: Request): Promise<Reply> {
    try {
      return await channel.ask(asked, request, timeLimit);
    } catch (error) {
      if (!(error instanceof ChannelError)) throw error;
      throw new StateUnavailableError(`the primary: ${error.message}`, { cause: error });
    }
  }
  const optional = (ttl: number | undefined): { readonly ttl?: number } => (ttl === undefined ? {} : { ttl });
  return {
    get: async (key) => (await ask(topics.get, { key })) ?? undefined,
    async getWithTtl(key) {
      const found = await ask(topics.getWithTtl, { key });
      return found === null ? undefined : { value: found.value, ttl: found.ttl ?? undefined };
    },
    async set(key, value, ttl) {
      await ask(topics.set, { key, value, ...optional(ttl) });
    },
    add: (key, value, ttl) => ask(topics.add, { key, value, ...optional(ttl) }),
    replace: (key, expected, value, ttl) => ask(topics.replace, { key, expected, value, ...optional(ttl) }),
    delete: (key) => ask(topics.delete, { key }),
    list: (prefix) => ask(topics.list, { prefix }),
    increment: (key, amount, ttl) => ask(topics.increment, { key, amount, ttl }),
    extend: (key, ttl) => ask(topics.extend, { key, ttl }),
    async check() {
      await ask(topics.check, null);
    },
    async close() {},
  };
}
