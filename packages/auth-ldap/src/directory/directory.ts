import type { Logger } from "@registry-gate/auth";
import { openSocket } from "../connect/open-socket.ts";
import { aborted, DirectoryError } from "../directory-error.ts";
import { anything } from "../filter/filter.ts";
import { observeDirectory } from "../observe/observe-directory.ts";
import { judgeServiceBind } from "../outcomes.ts";
import { createSession, type Session } from "../protocol/session.ts";
import type { DirectorySettings } from "../settings.ts";
import { createPool, type Pool } from "./pool.ts";
import { createServers, type Prepare } from "./servers.ts";

/** The account that the gate itself searches with. */
export interface ServiceAccount {
  readonly dn: string;
  readonly password: string;
}

/** The directory as one client sees it, on whichever server is up. */
export interface Directory {
  /**
   * Calls `use` with a connection of the service account. Where the connection fails, `use` is called once more with
   * another: it must only read.
   *
   * @throws {DirectoryError} and whatever `use` throws.
   */
  read<T>(signal: AbortSignal, use: (session: Session) => Promise<T>): Promise<T>;
  /**
   * Calls `use` with a connection on which a user may be bound. It is called again only where the connection had ended
   * before anything was sent.
   */
  asUser<T>(signal: AbortSignal, use: (session: Session) => Promise<T>): Promise<T>;
}

/** The directory as a whole. Its connections are used by the clients in turn. */
export interface OpenDirectory {
  /** @param client The address of a client. */
  forClient(client: string | undefined): Directory;
  /** Signs in as the service account, or reads the root where there is none. */
  check(signal: AbortSignal): Promise<void>;
  /** The account has changed: closes the connections that were bound with the old one. */
  accountChanged(): void;
  close(): void;
}

/** How long to wait before another bind of a rejected service account, in milliseconds: the directory counts failures. */
const REFUSAL = { first: 2000, longest: 60_000 };

/** @param backend The id of the backend, for those who observe. */
export function openDirectory(
  backend: string,
  settings: DirectorySettings,
  account: () => ServiceAccount | undefined,
  log: Logger,
): OpenDirectory {
  const { connect, timeout, pool } = settings;
  const observe = observeDirectory(backend);
  const refusal = { until: 0, times: 0, fault: undefined as DirectoryError | undefined };
  let proved = false;
  let trying: Promise<void> | undefined;

  const bindService: Prepare = async (session, signal) => {
    const service = account();
    if (service === undefined) return;
    // Try the password on one connection first: a wrong one on all of them could lock the account.
    while (!proved && trying !== undefined) await untilBindSettled(trying, signal);
    if (proved) return bindOnce(service, session, signal);
    trying = bindOnce(service, session, signal);
    try {
      await trying;
      proved = true;
    } finally {
      trying = undefined;
    }
  };
  const bindOnce = async (service: ServiceAccount, session: Session, signal: AbortSignal): Promise<void> => {
    if (refusal.fault !== undefined && performance.now() < refusal.until) throw refusal.fault;
    try {
      judgeServiceBind(await session.bind(service.dn, service.password, signal));
      refusal.times = 0;
      refusal.fault = undefined;
    } catch (error) {
      if (error instanceof DirectoryError && error.kind === "service") {
        if (refusal.fault === undefined)
          log.error({ server: session.server, reason: error.message }, "service account rejected by the directory");
        refusal.until = performance.now() + Math.min(REFUSAL.longest, REFUSAL.first * 2 ** refusal.times++);
        refusal.fault = error;
        proved = false;
      }
      throw error;
    }
  };
  const prove: Prepare = async (session, signal) => {
    if (account() === undefined) await readRoot(session, signal);
    else await bindService(session, signal);
  };

  const servers = createServers({
    addresses: settings.addresses,
    async open(address, signal, prepare) {
      const { url } = address;
      const socket = await observe.connecting(url, openSocket(address, connect, signal));
      const session = createSession(socket, url, timeout, observe.operations(url));
      try {
        await prepare(session, signal);
        return session;
      } catch (error) {
        session.close();
        throw error;
      }
    },
    proof: prove,
    retryFor: connect.connectTimeout,
    log,
  });
  const poolWith = (name: "service" | "users", prepare: Prepare): Pool =>
    createPool({
      ...pool,
      // As long as a caller ahead in the queue may take to find a server and to get its response.
      waitTimeout: timeout + connect.connectTimeout * settings.addresses.length,
      open: (signal) => servers.connect(signal, prepare),
      preferred: servers.preferred,
      observe: observe.queue(name),
      onFault,
    });
  const service = poolWith("service", bindService);
  const users = poolWith("users", async () => {});

  /** Draws conclusions about the server from what fails. */
  function onFault(session: Session, fault: DirectoryError): void {
    if (fault.kind === "content") session.close();
    // Where one connection has ended, connections that have been idle for as long have probably ended too.
    if (fault.kind === "lost") {
      service.drop();
      users.drop();
    } else servers.report(session.server, fault);
  }

  const forClient = (client: string | undefined): Directory => ({
    async read(signal, use) {
      try {
        return await service.use({ client, signal }, use);
      } catch (error) {
        if (!(error instanceof DirectoryError) || !isRetryable(error) || signal.aborted) throw error;
        return service.use({ client, signal }, use);
      }
    },
    async asUser(signal, use) {
      try {
        return await users.use({ client, signal }, use);
      } catch (error) {
        if (!(error instanceof DirectoryError) || error.kind !== "lost" || !error.transient) throw error;
        return users.use({ client, signal }, use);
      }
    },
  });
  // A queue key of its own, so that no client can use up its turn.
  const ownChecks = forClient("check");

  return {
    forClient,
    check: (signal) => ownChecks.read(signal, (session) => prove(session, signal)),
    accountChanged() {
      refusal.fault = undefined;
      refusal.times = 0;
      proved = false;
      service.drop();
    },
    close() {
      servers.close();
      service.close();
      users.close();
    },
  };
}

/** Waits until another caller's bind has succeeded or failed, or the signal aborts. */
async function untilBindSettled(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const settled = (): void => resolve();
  signal.addEventListener("abort", settled, { once: true });
  work.then(settled, settled);
  if (!signal.aborted) await promise;
  signal.removeEventListener("abort", settled);
  if (signal.aborted) throw aborted();
}

/** Whether another connection, perhaps to another server, may succeed. */
function isRetryable({ kind, code }: DirectoryError): boolean {
  if (kind === "result") return code === 51 || code === 52 || code === 80;
  return kind === "lost" || kind === "timeout" || kind === "protocol";
}

async function readRoot(session: Session, signal: AbortSignal): Promise<void> {
  const { code } = await session.search({ base: "", scope: "base", filter: anything, attributes: ["1.1"] }, signal);
  if (code !== 0) throw new DirectoryError("result", `the root of the directory cannot be read (${code})`, { code });
}
