import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "@registry-gate/auth";
import { aborted, DirectoryError } from "../directory-error.ts";
import type { Session } from "../protocol/session.ts";
import type { ServerAddress } from "../url.ts";

export interface ServersOptions {
  readonly addresses: readonly ServerAddress[];
  /** Connects, and prepares the connection. */
  readonly open: (address: ServerAddress, signal: AbortSignal, prepare: Prepare) => Promise<Session>;
  /** What shows, on a fresh connection, that the server works. */
  readonly proof: Prepare;
  /** How long to retry while every server refuses the connection at once, in milliseconds. */
  readonly retryFor: number;
  readonly log: Logger;
}

/** Does what must be done on a fresh connection before it is used. What fails there is a fault of the server's. */
export type Prepare = (session: Session, signal: AbortSignal) => Promise<void>;

/** The servers of a directory, of which the first that works is used. */
export interface Servers {
  /**
   * Connects to the first server that is up. A server that fails is marked down and probed in the background, at
   * growing intervals, until it is up again.
   *
   * @throws {DirectoryError}
   */
  connect(signal: AbortSignal, prepare: Prepare): Promise<Session>;
  /** Whether this server is the first one that is up. */
  preferred(url: string): boolean;
  /** Reports an error of an operation. */
  report(url: string, fault: DirectoryError): void;
  close(): void;
}

interface Server {
  readonly address: ServerAddress;
  /** Why it is marked down; undefined while it is up, as far as is known. */
  fault: DirectoryError | undefined;
  failures: number;
  timer: NodeJS.Timeout | undefined;
}

const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 15_000;
const BETWEEN_ROUNDS = 50;

export function createServers({ addresses, open, proof, retryFor, log }: ServersOptions): Servers {
  const servers: Server[] = addresses.map((address) => ({ address, fault: undefined, failures: 0, timer: undefined }));
  const closing = new AbortController();

  function fail(server: Server, fault: DirectoryError): void {
    const { url } = server.address;
    if (server.fault === undefined) log.warn({ server: url, reason: fault.message }, "LDAP server marked down");
    server.fault = fault;
    server.failures++;
    clearTimeout(server.timer);
    if (closing.signal.aborted) return;
    // One slow response does not mean that the server is down: probe at once.
    const hasty = fault.kind === "timeout" && server.failures === 1;
    const pause = hasty ? BETWEEN_ROUNDS : Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (server.failures - 1));
    server.timer = setTimeout(() => void probe(server), pause);
    server.timer.unref();
  }

  function recover(server: Server): void {
    clearTimeout(server.timer);
    server.failures = 0;
    if (server.fault === undefined) return;
    server.fault = undefined;
    log.info({ server: server.address.url }, "LDAP server is back up");
  }

  async function probe(server: Server): Promise<void> {
    try {
      const session = await open(server.address, closing.signal, proof);
      session.close();
      if (!closing.signal.aborted) recover(server);
    } catch (error) {
      if (!(error instanceof DirectoryError)) throw error;
      if (closing.signal.aborted) return;
      // The server is up, whether or not it accepts the service account.
      if (isServerError(error)) fail(server, error);
      else recover(server);
    }
  }

  async function tryEach(
    candidates: readonly Server[],
    signal: AbortSignal,
    prepare: Prepare,
  ): Promise<Session | DirectoryError> {
    let last = new DirectoryError("connect", "there is no server");
    for (const server of candidates) {
      try {
        const session = await open(server.address, signal, prepare);
        recover(server);
        return session;
      } catch (error) {
        if (!(error instanceof DirectoryError) || !isServerError(error)) throw error;
        fail(server, error);
        last = error;
      }
    }
    return last;
  }

  return {
    async connect(signal, prepare) {
      const giveUp = performance.now() + retryFor;
      for (let pause = BETWEEN_ROUNDS; ; pause *= 2) {
        if (closing.signal.aborted) throw new DirectoryError("connect", "the backend is closed");
        const working = servers.filter(({ fault }) => fault === undefined);
        // Retrying a server that refuses connections is cheap. A server that does not respond would cost a timeout.
        const quick = servers.filter(({ fault }) => fault !== undefined && !isTimeout(fault));
        const candidates = working.length > 0 ? working : quick;
        if (candidates.length === 0) {
          const reasons = servers.map(({ address, fault }) => `${address.url}: ${fault?.message ?? ""}`);
          throw new DirectoryError("connect", `no server responds; ${reasons.join("; ")}`, { slow: true });
        }
        const session = await tryEach(candidates, signal, prepare);
        if (!(session instanceof DirectoryError)) return session;
        if (servers.some(({ fault }) => fault === undefined)) continue;
        const passing = session.transient || session.kind === "lost";
        if (!passing || performance.now() + pause > giveUp) throw session;
        await delay(pause, undefined, { signal }).catch(() => {
          throw aborted();
        });
      }
    },
    preferred(url) {
      const first = servers.find(({ fault }) => fault === undefined);
      return first?.address.url === url;
    },
    report(url, fault) {
      const server = servers.find(({ address }) => address.url === url);
      if (server !== undefined && server.fault === undefined && isServerError(fault)) fail(server, fault);
    },
    close() {
      closing.abort();
      for (const { timer } of servers) clearTimeout(timer);
    },
  };
}

/** Whether the error is about the server, rather than about one caller. */
function isServerError({ kind, code }: DirectoryError): boolean {
  if (kind === "result") return code === 51 || code === 52 || code === 80;
  return kind === "connect" || kind === "lost" || kind === "timeout" || kind === "protocol";
}

function isTimeout({ kind, slow }: DirectoryError): boolean {
  return slow || kind === "timeout";
}
