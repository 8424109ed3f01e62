import { isDeepStrictEqual } from "node:util";
import { InvalidOptionsError } from "@registry-gate/auth";
import type { TlsIdentity } from "../tls/tls-identity.ts";
import { type Listener, type ListenerHandlers, openListener } from "./listener.ts";
import { type ListenerOrigin, ownOrigin } from "./listener-origin.ts";
import type { ListenerSetup } from "./listener-setup.ts";
import type { UnixSocketFile } from "./unix-socket.ts";

/** The listener of a gateway, which another one can replace. */
export interface ListenerSlot {
  /** Where it listens, with the actual port. */
  readonly name: string;
  readonly secure: boolean;
  /** The certificate for new connections; undefined without TLS. */
  readonly tls: TlsIdentity | undefined;
  /** How many connections there are, those of listeners that were given up as well. */
  readonly connections: number;
  /**
   * Listens as another setup says. A listener that has to be replaced is given up: it accepts nothing more, and its
   * connections live on.
   *
   * @returns whether another listener was opened.
   * @throws {InvalidOptionsError} with paths below `listen`; then it listens as before.
   */
  change(setup: ListenerSetup): Promise<boolean>;
  /**
   * Does what may fail of a change, such as opening another socket.
   *
   * @throws {InvalidOptionsError} with paths below `listen`; then it listens as before.
   */
  prepare(setup: ListenerSetup): Promise<PreparedChange>;
  /** For new connections, until the next change. */
  setTls(identity: TlsIdentity): void;
  /** Accepts nothing more, and resolves when every connection of the current listener has ended. */
  close(): Promise<void>;
  /** Resolves when every connection of the listeners that were given up has ended. */
  departed(): Promise<void>;
  /** Cuts every connection, those of listeners that were given up as well. */
  cut(): void;
}

/** A change that is decided later: one of these is called, once. */
export interface PreparedChange {
  /**
   * @returns whether another listener was opened.
   * @throws {InvalidOptionsError} only where one address has to be given up before it can be had anew; then it listens as
   * before.
   */
  commit(): Promise<boolean>;
  /** Listens as before. */
  abort(): void;
}

/** @throws {InvalidOptionsError} with paths below `listen` where the place cannot be had. */
export async function openListenerSlot(
  first: ListenerSetup,
  handlers: ListenerHandlers,
  origin: ListenerOrigin = ownOrigin(),
): Promise<ListenerSlot> {
  const open = ({ place, tls, limits }: ListenerSetup, former?: UnixSocketFile): Promise<Listener> =>
    openListener(place, tls, limits, handlers, origin, former);
  let setup = first;
  let listener = await open(first);
  /** Those that listen no more, but still have connections. */
  const givenUp = new Map<Listener, Promise<void>>();

  function giveUp(former: Listener): void {
    const departure = former.close().finally(() => givenUp.delete(former));
    givenUp.set(former, departure);
  }

  function isSameKind({ tls }: ListenerSetup): boolean {
    return (tls !== undefined) === listener.secure && (tls?.clientAuth ?? "none") === listener.clientAuth;
  }

  function canStay(next: ListenerSetup): boolean {
    return isSameKind(next) && isDeepStrictEqual(next.place, listener.place);
  }

  /** The new socket is opened before the old one is given up, wherever both can be. */
  async function prepareMove(next: ListenerSetup): Promise<PreparedChange> {
    const former = listener;
    const { address, shared } = next.place;
    if (!isDeepStrictEqual(address, former.place.address) || "socket" in address) {
      const opened = await open(next, former.file);
      return {
        async commit() {
          listener = opened;
          giveUp(former);
          return true;
        },
        abort: () => giveUp(opened),
      };
    }
    if ("inherited" in address) {
      const message =
        "cannot be added, removed or changed in clientAuth by a reload on a socket that systemd passes: restart the service";
      throw new InvalidOptionsError([{ path: ["listen", "tls"], message }]);
    }
    if (former.place.shared === true && shared !== true) {
      const message = "cannot be removed by a reload while listen.address stays the same: restart the gate";
      throw new InvalidOptionsError([{ path: ["listen", "shared"], message }]);
    }
    if (!origin.sockets.reopens && former.place.shared !== true) {
      const [key, change] = isSameKind(next) ? ["shared", "added"] : ["tls", "added, removed or changed in clientAuth"];
      const message = `cannot be ${change} by a reload of several workers while listen.address stays the same: restart the gate`;
      throw new InvalidOptionsError([{ path: ["listen", key], message }]);
    }
    return {
      async commit() {
        // Of one address there is one socket only: the old one makes place, its connections live on.
        giveUp(former);
        try {
          listener = await open(next, former.file);
        } catch (error) {
          listener = await open(setup);
          throw error;
        }
        return true;
      },
      abort() {},
    };
  }

  async function prepare(next: ListenerSetup): Promise<PreparedChange> {
    const move = canStay(next) ? undefined : await prepareMove(next);
    return {
      async commit() {
        await move?.commit();
        if (move === undefined && next.tls !== undefined) listener.setTls(next.tls);
        listener.setLimits(next.limits);
        setup = next;
        return move !== undefined;
      },
      abort: () => move?.abort(),
    };
  }

  return {
    get name() {
      return listener.name;
    },
    get secure() {
      return listener.secure;
    },
    get tls() {
      return setup.tls;
    },
    get connections() {
      return [listener, ...givenUp.keys()].reduce((sum, each) => sum + each.connections, 0);
    },
    async change(next) {
      return (await prepare(next)).commit();
    },
    prepare,
    setTls(identity) {
      listener.setTls(identity);
      setup = { ...setup, tls: identity };
    },
    close: () => listener.close(),
    async departed() {
      await Promise.all(givenUp.values());
    },
    cut() {
      for (const each of [listener, ...givenUp.keys()]) each.cut();
    },
  };
}
