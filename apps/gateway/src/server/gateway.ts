import { resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { type Fault, formatFault, InvalidOptionsError, timerDelay } from "@registry-gate/auth";
import { addressSet, type CounterStore, memoryCounters, type RequestRecord } from "@registry-gate/core";
import { type FileWatch, type SettledFile, watchFiles } from "@registry-gate/watched-file";
import type { Configuration, LogLevel } from "../config/configuration.ts";
import { certificateReload, configurationReload, publishRefusal, publishReload } from "../observe/reloads.ts";
import { endsWithin } from "./ends-within.ts";
import type { Gate } from "./gate.ts";
import { respondToHealthCheck } from "./health-check.ts";
import { limitReports } from "./limit-reports.ts";
import { missingDirectory } from "./listen-faults.ts";
import type { ListenPlace } from "./listen-on.ts";
import { type Listener, type ListenerHandlers, type ListenerLimits, openListener } from "./listener.ts";
import { isWellFormed, type LoadedGate, loadGate } from "./load-gate.ts";
import { type GatewayLog, openLog } from "./log.ts";
import { reloadAttempts } from "./reload-attempts.ts";
import { requestLine } from "./request-line.ts";
import { identityOf, type TlsFiles } from "./tls.ts";
import { warningsOf } from "./warnings.ts";

/** A running gateway. */
export interface Gateway {
  /** Where it listens, such as `127.0.0.1:5043`. */
  readonly address: string;
  readonly secure: boolean;
  /** Whether new requests should be sent here: false from the moment that it stops or has failed. */
  readonly ready: boolean;
  /** Reads the configuration anew. If it is wrong, the log says why, and everything stays as it was. */
  reload(): Promise<void>;
  /** Logs an error that nobody caught, and is ready no more. The process should be ended, after {@link Gateway.close}. */
  reportUncaught(error: unknown): void;
  /**
   * Accepts nothing more, lets requests finish, and cuts those that have not in time for the end. Later calls wait for the
   * first.
   *
   * @param patience By when it resolves, in milliseconds, whatever clients, backends and the reader of the log do; 400 ms
   * for the end itself are always taken. Default: `listen.drainTimeout`.
   */
  close(patience?: number): Promise<void>;
}

/** Time for the registry's silence to be answered with 504 before the client's connection counts as silent. */
const inactivityMargin = 10_000;
/**
 * How long cut connections and backends, and then what reads the log, may take to come to their end, in milliseconds: a
 * tenth of the patience each, between these.
 */
const lastMoments = { least: 200, most: 1000 };
const defaultDrainTimeout = 30_000;
/** In the log each second, at most; the others are counted. */
const mostFailedHandshakes = 5;
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
  const logOf = (configuration: Configuration): GatewayLog["logger"] =>
    log.logger.child({}, { level: levelOf(configuration) });
  let { loaded, gate } = await load(path, counters, logOf);
  log.logger.level = levelOf(gate.configuration);
  let closing: Promise<void> | undefined;
  let failed = false;
  // Requests always go to the gate that is current when they begin, and stay with it.
  const handlers: ListenerHandlers = {
    checkHealth(request, response) {
      const status = respondToHealthCheck(gate.configuration.listen.healthPath, isReady(), request, response);
      if (status !== undefined) log.logger.debug({ event: "health check", status }, "health check");
      return status !== undefined;
    },
    handle: (request, response) => gate.handle(request, response),
    unreadable: (request) => log.logger.info({ event: "unreadable", ...request }, "no request could be read"),
    pressure: (pressure) =>
      log.logger.warn({ event: "connections closed", ...pressure }, "connections were closed for want of places"),
    handshakeFailed: limitReports(
      mostFailedHandshakes,
      (failure) => log.logger.info({ event: "handshake failed", ...failure }, "a TLS handshake failed"),
      (leftOut) => log.logger.info({ event: "handshake failed", leftOut }, "further TLS handshakes failed"),
    ),
    plain: (request) =>
      log.logger.info({ event: "plain HTTP", status: 400, ...request }, "plain HTTP came to a port for TLS"),
  };
  let listener: Listener;
  try {
    listener = await openListener(placeOf(gate.configuration), gate.tls, limitsOf(gate.configuration), handlers);
  } catch (error) {
    await gate.retire();
    throw error;
  }
  announce(true);
  const leaving = new Set<Promise<void>>();
  /** Those that listen no more, but still have connections. */
  const givenUp = new Set<Listener>();
  let watches = watch();
  /** Whether everything that the configuration names could be had, the last time that it was loaded. */
  let loadable = true;
  const reloads = reloadAttempts({
    replace,
    isPossible,
    refuse(error) {
      refuse("reload refused", error);
      publishRefusal(configurationReload, error);
    },
    describe: (error) => faultsOf(error).map(formatFault).join("\n") || String(error),
  });

  function isReady(): boolean {
    return closing === undefined && !failed;
  }

  function announce(anew: boolean): void {
    const { name, secure } = listener;
    if (anew) log.logger.info({ event: "listening", address: name, tls: secure }, `listening on ${name}`);
    for (const warning of warningsOf(gate)) log.logger.warn({ event: "warning" }, formatFault(warning));
  }

  function watch(): FileWatch[] {
    const onError = (error: Error): void =>
      log.logger.error({ event: "file unreadable", err: error }, "a watched file cannot be read");
    const configurationWatch = watchFiles([path], () => void reloads.reload(), { since: [loaded.source], onError });
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
        publishReload(certificateReload);
        for (const warning of identity.warnings) log.logger.warn({ event: "warning" }, formatFault(warning));
      } catch (error) {
        refuse("certificate refused", error);
        publishRefusal(certificateReload, error);
      }
    };
    const files = [certificate, key, ...(clientCa === undefined ? [] : [clientCa])];
    const paths = files.map((file) => file.path);
    return [configurationWatch, watchFiles(paths, swap, { since: files, onError })];
  }

  function refuse(event: string, error: unknown): void {
    const faults = faultsOf(error);
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
    loadable = false;
    const { loaded: next, gate: nextGate } = await load(path, counters, logOf);
    loadable = true;
    if (closing !== undefined) return nextGate.retire();
    const place = placeOf(nextGate.configuration);
    const former = { gate, listener };
    const sameKind =
      (nextGate.tls !== undefined) === listener.secure && (nextGate.tls?.clientAuth ?? "none") === listener.clientAuth;
    if (isDeepStrictEqual(place, listener.place) && sameKind) {
      if (nextGate.tls !== undefined) listener.setTls(nextGate.tls);
    } else {
      try {
        listener = await moveListener(place, nextGate);
      } catch (error) {
        await nextGate.retire();
        throw error;
      }
    }
    gate = nextGate;
    loaded = next;
    log.logger.level = levelOf(next.configuration);
    listener.setLimits(limitsOf(next.configuration));
    for (const { close } of watches) close();
    watches = watch();
    leave(former.gate.retire());
    log.logger.info({ event: "reloaded" }, "the new configuration is in force");
    publishReload(configurationReload);
    announce(listener !== former.listener);
  }

  /** Opens the listener of another gate in place of the current one, which is given up. */
  async function moveListener(place: ListenPlace, nextGate: Gate): Promise<Listener> {
    const { address } = place;
    const former = { gate, listener };
    const open = (): Promise<Listener> =>
      openListener(place, nextGate.tls, limitsOf(nextGate.configuration), handlers, former.listener.file);
    if (!isDeepStrictEqual(address, former.listener.place.address) || "socket" in address) {
      const next = await open();
      giveUp(former.listener);
      return next;
    }
    if ("inherited" in address) {
      const message =
        "can be added, changed in clientAuth or taken away by a restart alone, on a socket that systemd passes";
      throw new InvalidOptionsError([{ path: ["listen", "tls"], message }]);
    }
    if (former.listener.place.shared === true && place.shared !== true) {
      const message = "can be taken away by a restart alone, while listen.address stays the same";
      throw new InvalidOptionsError([{ path: ["listen", "shared"], message }]);
    }
    // Of one address there is one socket only: the old one makes place, its connections live on.
    giveUp(former.listener);
    try {
      return await open();
    } catch (error) {
      const limits = limitsOf(former.gate.configuration);
      listener = await openListener(former.listener.place, former.gate.tls, limits, handlers);
      throw error;
    }
  }

  /** A listener that could not be moved is left alone: each attempt may disturb the one that there is. */
  async function isPossible(): Promise<boolean> {
    // An edit of the file is watched.
    if (loadable || !(await isWellFormed(path))) return false;
    // Backends would say the same at every attempt.
    const silent = log.logger.child({}, { level: "silent" });
    const attempt = await load(path, counters, () => silent);
    await attempt.gate.retire();
    return true;
  }

  async function finishRequests(): Promise<void> {
    const first = listener.close();
    // A reload that has begun may put another one in its place, and watch files anew.
    await reloads.stop();
    for (const { close } of watches) close();
    await Promise.all([first, listener.close()]);
    await gate.retire();
    await Promise.all(leaving);
  }

  async function stop(patience = gate.configuration.listen.drainTimeout ?? defaultDrainTimeout): Promise<void> {
    log.logger.info({ event: "stopping" }, "requests that have begun may finish");
    for (const { close } of watches) close();
    // A supervisor kills what does not end in time, and with it what the log has not written yet.
    const ending = Math.min(Math.max(patience / 10, lastMoments.least), lastMoments.most);
    const finished = finishRequests().catch((error: unknown) => {
      log.logger.error({ event: "uncaught error", err: error }, "the end was not a clean one");
    });
    if (!(await endsWithin(Math.max(patience - 2 * ending, 0), finished))) {
      log.logger.warn({ event: "cut" }, "what has not finished in time is cut");
      for (const { cut } of [listener, ...givenUp]) cut();
      await endsWithin(ending, finished);
    }
    await log.drained(ending);
  }

  return {
    get address() {
      return listener.name;
    },
    get secure() {
      return listener.secure;
    },
    get ready() {
      return isReady();
    },
    reload: reloads.reload,
    reportUncaught(error) {
      failed = true;
      log.logger.error({ event: "uncaught error", err: error }, "an error that nobody caught: the process has to end");
    },
    close(patience) {
      // It counts as closing before anything else happens.
      closing ??= Promise.resolve().then(() => stop(patience));
      return closing;
    },
  };
}

/** @param logOf Each gate logs at the level of its own configuration. */
async function load(
  path: string,
  counters: CounterStore,
  logOf: (configuration: Configuration) => GatewayLog["logger"],
): Promise<LoadedGate> {
  const loaded = await loadGate(path, (configuration) => {
    const log = logOf(configuration);
    return { log, counters, onRequest: (record: RequestRecord) => log.info(requestLine(record)) };
  });
  const missing = await missingDirectory(loaded.gate.configuration.listen.address);
  if (missing.length === 0) return loaded;
  await loaded.gate.retire();
  throw new InvalidOptionsError(missing);
}

function faultsOf(error: unknown): readonly Fault[] {
  return error instanceof InvalidOptionsError ? error.faults : [];
}

function levelOf({ log }: Configuration): LogLevel {
  return log?.level ?? "info";
}

function placeOf({ listen: { address, socketMode, socketGroup, shared } }: Configuration): ListenPlace {
  return {
    address,
    ...(socketMode !== undefined && { socketMode }),
    ...(socketGroup !== undefined && { socketGroup }),
    ...(shared !== undefined && { shared }),
  };
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
