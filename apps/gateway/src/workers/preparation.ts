import { InvalidOptionsError } from "@registry-gate/auth";
import type { Channel } from "./channel.ts";
import { type Accepted, abort, commit, type Place, prepare } from "./topics.ts";

/** Everything of a new configuration, built and not yet in force. */
export interface Preparation {
  commit(): Promise<Place & { readonly anew: boolean }>;
  abort(): Promise<void>;
}

/**
 * Has a worker follow the primary from one configuration to the next.
 *
 * @param build Throws `InvalidOptionsError` where the configuration cannot be used; then nothing stays open.
 */
export function followPrimary(channel: Channel, build: (next: Accepted) => Promise<Preparation>): void {
  let preparing: Promise<Preparation | undefined> = Promise.resolve(undefined);

  /** What was prepared, once. */
  async function take(): Promise<Preparation | undefined> {
    const taken = preparing;
    preparing = Promise.resolve(undefined);
    return taken.catch(() => undefined);
  }

  async function drop(): Promise<void> {
    await (await take())?.abort();
  }

  channel.reply(prepare, async (next) => {
    // Of a primary that has asked and not decided.
    await drop();
    preparing = build(next);
    try {
      await preparing;
      return { faults: [] };
    } catch (error) {
      if (error instanceof InvalidOptionsError) return { faults: error.faults };
      throw error;
    }
  });
  channel.reply(commit, async () => {
    const prepared = await take();
    if (prepared === undefined) throw new Error("nothing is prepared");
    return prepared.commit();
  });
  channel.reply(abort, async () => {
    await drop();
    return null;
  });
}
