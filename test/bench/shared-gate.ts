import { type Contender, closeAll } from "./contender.ts";
import { startFixedRegistry } from "./fixed-registry.ts";
import { startGate } from "./proxies.ts";

/** A gate with nothing special, and the registry behind it, for all that compare it. */
export interface SharedGate {
  readonly gate: Contender;
  /** `http://host:port` of a registry that costs next to nothing. */
  readonly registry: string;
}

/** What stays from one part to the next, so that one gate has to become warm, and not one a part. */
export interface Sharing {
  /** Starts it the first time. Nobody who is given it closes it: `close` of this gate does nothing. */
  gate(): Promise<SharedGate>;
  /** Ends what was started. The next who asks is given another one. */
  close(): Promise<void>;
}

export function createSharing(): Sharing {
  let started: { readonly shared: SharedGate; readonly close: () => Promise<void> } | undefined;
  return {
    async gate() {
      started ??= await start();
      return started.shared;
    },
    async close() {
      const ending = started;
      started = undefined;
      await ending?.close();
    },
  };
}

async function start(): Promise<{ readonly shared: SharedGate; readonly close: () => Promise<void> }> {
  const registry = await startFixedRegistry("/nowhere");
  try {
    const gate = await startGate({ registry: registry.url });
    return {
      shared: { gate: { ...gate, close: async () => {} }, registry: registry.url },
      async close() {
        await closeAll([gate]);
        await registry.close();
      },
    };
  } catch (error) {
    await registry.close();
    throw error;
  }
}
