import { isDeepStrictEqual } from "node:util";
import { InvalidOptionsError, type Logger } from "@registry-gate/auth";
import { addressSet } from "@registry-gate/auth-kit";
import type { Configuration } from "../config/configuration.ts";
import { adminPlace } from "../config/sections/admin.ts";
import type { ListenPlace } from "../config/sections/listen.ts";
import { type Listener, type ListenerHandlers, type ListenerLimits, openListener } from "../listener/listener.ts";
import { ownOrigin } from "../listener/listener-origin.ts";

/** The admin listener of a gateway, if it has one. */
export interface AdminSlot {
  /** Where it listens, with the actual port; undefined where nothing is configured. */
  readonly name: string | undefined;
  /**
   * Listens where another configuration says, besides where it listened before, until it is decided whether that
   * configuration is applied.
   *
   * @throws {InvalidOptionsError} at `admin.address`; then it listens as before.
   */
  prepare(configuration: Configuration): Promise<AdminChange>;
  /** Accepts nothing more, and resolves when every connection has ended. */
  close(): Promise<void>;
  /** Cuts every connection. */
  cut(): void;
}

/** Exactly one of both is called. */
export interface AdminChange {
  commit(): void;
  abort(): Promise<void>;
}

/** Probes and scrapers are few, and what they send is small. Durations are in milliseconds. */
const limits: ListenerLimits = {
  inactivity: 10_000,
  headersTimeout: 5000,
  maxConnections: 256,
  // Many come from one address, such as all probes of a node: idle connections make place, whosever they are.
  connectionsPerAddress: 256,
  trustedProxies: addressSet([]),
};

/**
 * @param handle Responds to every request.
 * @param onOpen Called when it begins to listen.
 */
export function adminSlot(handle: ListenerHandlers["handle"], onOpen: () => void, log: Logger): AdminSlot {
  let current: Listener | undefined;
  const handlers: ListenerHandlers = {
    checkHealth: () => false,
    handle,
    unreadable: ({ status }) => log.debug({ event: "admin", status }, "unreadable request on the admin listener"),
    pressure: (pressure) => log.debug({ event: "admin", ...pressure }, "too many connections to the admin listener"),
    handshakeFailed() {},
    plain() {},
  };

  function replace(next: Listener | undefined): void {
    void current?.close();
    current = next;
    if (next === undefined) return;
    log.info({ event: "admin listening", address: next.name }, `admin listener on ${next.name}`);
    onOpen();
  }

  return {
    get name() {
      return current?.name;
    },
    async prepare({ admin, listen }) {
      const place = admin === undefined ? undefined : adminPlace(admin, listen);
      if (isDeepStrictEqual(place?.address, current?.place.address)) return { commit() {}, async abort() {} };
      const next = place === undefined ? undefined : await open(place, handlers);
      return {
        commit: () => replace(next),
        async abort() {
          next?.cut();
          await next?.close();
        },
      };
    },
    async close() {
      await current?.close();
    },
    cut: () => current?.cut(),
  };
}

async function open(place: ListenPlace, handlers: ListenerHandlers): Promise<Listener> {
  try {
    return await openListener(place, undefined, limits, handlers, ownOrigin());
  } catch (error) {
    if (!(error instanceof InvalidOptionsError)) throw error;
    const faults = error.faults.map(({ path: [, ...rest], message }) => ({ path: ["admin", ...rest], message }));
    throw new InvalidOptionsError(faults, { cause: error });
  }
}
