import { resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { type Fault, formatFault, InvalidOptionsError, timerDelay } from "@registry-gate/auth";
import { type FileWatch, type SettledFile, watchFiles } from "@registry-gate/watched-file";
import { addressSet, type CounterStore, memoryCounters, type RequestRecord } from "registry-gate";
import type { Configuration, LogLevel } from "../config/configuration.ts";
import { endsWithin } from "./ends-within.ts";
import { type Listener, type ListenerHandlers, type ListenerLimits, openListener } from "./listener.ts";
import { type LoadedGate, loadGate } from "./load-gate.ts";
import { type GatewayLog, openLog } from "./log.ts";
import { identityOf, type TlsFiles } from "./tls.ts";
import { warningsOf } from "./warnings.ts";

/** A running gateway. */
export interface Gateway {
  /** Where it listens, such as `127.0.0.1:5043`. */
  readonly address: string;
  readonly secure: boolean;
  /** Whether new requests should be sent here: false from the moment that it stops. For a health check. */
  readonly ready: boolean;
  /** Reads the configuration anew. If it is wrong, the log says why, and everything stays as it was. */
  reload(): Promise<void>;
  /** Logs an error that nobody caught. The process should be ended soon, after {@link Gateway.close}. */
  reportUncaught(error: unknown): void;
  /**
   * Accepts nothing more and lets requests finish, for at most `patience` milliseconds; then cuts them. Resolves at most
   * two seconds later, whatever backends and the reader of the log do. Later calls wait for the first.
   */
  close(patience?: number): Promise<void>;
}

/** Time for the registry's silence to be answered with 504 before the client's connection counts as silent. */
const inactivityMargin = 10_000;
/** How long cut connections, backends and what reads the log may take to come to their end, in milliseconds. */
const lastMoments = 1000;
const defaultReadTimeout = 900_000;
const defaultHeadersTimeout = 30_000;
const defaultMaxConnections = 10_000;
const defaultConnectionsPerAddress = 1024;

/**
 * Starts the gateway that a configuration file describes, and follows the file.
 *
 * @throws {InvalidOptionsError} with every fault; then nothing is left running.
 */
export async function startGateway(file: string): Promise<Gateway> {
  const path = resolve(file);
  const log = openLog();
  // A reload does not make failed logins forgotten.
  const counters = memoryCounters();
  let { loaded, gate } = await load(path, log, counters);
  log.logger.level = levelOf(gate.configuration);
  // Requests always go to the gate that is current when they begin, and stay with it.
  const handlers: ListenerHandlers = {
    handle: (request, response) => gate.handle(request, response),
    unreadable: (request) => log.logger.info({ event: "unreadable", ...request }, "no request could be read"),
    pressure: (pressure) =>
      log.logger.warn({ event: "connections closed", ...pressure }, "connections were closed for want of places"),
  };
  let listener: Listener;
  try {
    listener = await openListener(gate.configuration.listen.address, gate.tls, limitsOf(gate.configuration), handlers);
  } catch (error) {
    await gate.retire();
    throw error;
  }
  announce();
  const leaving = new Set<Promise<void>>();
  /** Those that listen no more, but still have connections. */
  const givenUp = new Set<Listener>();
  let watches = watch();
  let reloading: Promise<void> = Promise.resolve();
  let closing: Promise<void> | undefined;

  function announce(): void {
    log.logger.info(
      { event: "listening", address: listener.name, tls: listener.secure },
      `listening on ${listener.name}`,
    );
    for (const warning of warningsOf(gate)) log.logger.warn({ event: "warning" }, formatFault(warning));
  }

  function watch(): FileWatch[] {
    const onError = (error: Error): void =>
      log.logger.error({ event: "file unreadable", err: error }, "a watched file cannot be read");
    const configurationWatch = watchFiles([path], () => void reload(), { since: [loaded.source], onError });
    const { tls } = gate;
    const tlsConfiguration = gate.configuration.listen.tls;
    if (tls === undefined || tlsConfiguration === undefined) return [configurationWatch];
    const [certificate, key, clientCa] = tls.files;
    const swap = ([newCertificate, newKey, newClientCa]: readonly Buffer[]): void => {
      if (newCertificate === undefined || newKey === undefined) return;
      const pair: [SettledFile, SettledFile] = [
        { path: certificate.path, content: newCertificate },
        { path: key.path, content: newKey },
      ];
      const asked = clientCa !== undefined && newClientCa !== undefined;
      try {
        const files: TlsFiles = asked ? [...pair, { path: clientCa.path, content: newClientCa }] : pair;
        const identity = identityOf(tlsConfiguration, files);
        listener.setTls(identity);
        log.logger.info({ event: "certificate reloaded" }, "new connections get the new certificate");
        for (const warning of identity.warnings) log.logger.warn({ event: "warning" }, formatFault(warning));
      } catch (error) {
        refuse("certificate refused", error);
      }
    };
    const files = [certificate, key, ...(clientCa === undefined ? [] : [clientCa])];
    const paths = files.map((file) => file.path);
    return [configurationWatch, watchFiles(paths, swap, { since: files, onError })];
  }

  function refuse(event: string, error: unknown): void {
    const faults: readonly Fault[] = error instanceof InvalidOptionsError ? error.faults : [];
    if (faults.length === 0) log.logger.error({ event, err: error }, "the old configuration stays in force");
    else log.logger.error({ event, faults: faults.map(formatFault) }, "the old configuration stays in force");
  }

  function leave(departure: Promise<void>): void {
    leaving.add(departure);
    void departure.finally(() => leaving.delete(departure));
  }

  function giveUp(former: Listener): void {
    givenUp.add(former);
    leave(former.close().finally(() => givenUp.delete(former)));
  }

  /** Everything new is built, and the new socket opened, before anything old is given up. */
  async function replace(): Promise<void> {
    const { loaded: next, gate: nextGate } = await load(path, log, counters);
    if (closing !== undefined) return nextGate.retire();
    const { listen } = nextGate.configuration;
    const sameAddress = isDeepStrictEqual(listen.address, listener.address);
    const sameKind =
      (nextGate.tls !== undefined) === listener.secure && (nextGate.tls?.clientAuth ?? "none") === listener.clientAuth;
    const sameSocket = sameAddress && sameKind;
    const former = { gate, listener };
    if (!sameSocket) {
      // Of one address there is one socket only: the old one makes place, its connections live on.
      if (sameAddress) giveUp(former.listener);
      try {
        listener = await openListener(listen.address, nextGate.tls, limitsOf(nextGate.configuration), handlers);
      } catch (error) {
        await nextGate.retire();
        if (sameAddress) {
          const limits = limitsOf(former.gate.configuration);
          listener = await openListener(former.listener.address, former.gate.tls, limits, handlers);
        }
        throw error;
      }
      if (!sameAddress) giveUp(former.listener);
    } else if (nextGate.tls !== undefined) {
      listener.setTls(nextGate.tls);
    }
    gate = nextGate;
    loaded = next;
    log.logger.level = levelOf(next.configuration);
    listener.setLimits(limitsOf(next.configuration));
    for (const { close } of watches) close();
    watches = watch();
    leave(former.gate.retire());
    log.logger.info({ event: "reloaded" }, "the new configuration is in force");
    if (!sameSocket) announce();
  }

  function reload(): Promise<void> {
    reloading = reloading.then(async () => {
      if (closing !== undefined) return;
      try {
        await replace();
      } catch (error) {
        refuse("reload refused", error);
      }
    });
    return reloading;
  }

  async function finishRequests(): Promise<void> {
    const first = listener.close();
    // A reload that has begun may put another one in its place, and watch files anew.
    await reloading;
    for (const { close } of watches) close();
    await Promise.all([first, listener.close()]);
    await gate.retire();
    await Promise.all(leaving);
  }

  async function stop(patience: number): Promise<void> {
    log.logger.info({ event: "stopping" }, "requests that have begun may finish");
    for (const { close } of watches) close();
    const finished = finishRequests().catch((error: unknown) => {
      log.logger.error({ event: "uncaught error", err: error }, "the end was not a clean one");
    });
    if (!(await endsWithin(patience, finished))) {
      log.logger.warn({ event: "cut" }, "what has not finished in time is cut");
      for (const { cut } of [listener, ...givenUp]) cut();
      await endsWithin(lastMoments, finished);
    }
    await log.drained(lastMoments);
  }

  return {
    get address() {
      return listener.name;
    },
    get secure() {
      return listener.secure;
    },
    get ready() {
      return closing === undefined;
    },
    reload,
    reportUncaught(error) {
      log.logger.error({ event: "uncaught error", err: error }, "an error that nobody caught: the process has to end");
    },
    close(patience = 30_000) {
      // It counts as closing before anything else happens.
      closing ??= Promise.resolve().then(() => stop(patience));
      return closing;
    },
  };
}

/** Each gate logs at the level of its own configuration. */
function load(path: string, { logger }: GatewayLog, counters: CounterStore): Promise<LoadedGate> {
  return loadGate(path, (configuration) => {
    const log = logger.child({}, { level: levelOf(configuration) });
    return { log, counters, onRequest: (record: RequestRecord) => log.info({ event: "request", ...record }) };
  });
}

function levelOf({ log }: Configuration): LogLevel {
  return log?.level ?? "info";
}

function limitsOf({ listen, limits, upstream }: Configuration): ListenerLimits {
  return {
    inactivity: timerDelay((upstream.readTimeout ?? defaultReadTimeout) + inactivityMargin),
    headersTimeout: timerDelay(listen.headersTimeout ?? defaultHeadersTimeout),
    maxConnections: listen.maxConnections ?? defaultMaxConnections,
    connectionsPerAddress: limits?.connectionsPerAddress ?? defaultConnectionsPerAddress,
    trustedProxies: addressSet(listen.trustedProxies ?? []),
  };
}
