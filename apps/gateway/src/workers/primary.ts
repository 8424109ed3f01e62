import { randomBytes } from "node:crypto";
import { resolve } from "node:path";
import { InvalidOptionsError, timerDelay } from "@registry-gate/auth";
import { memoryState } from "@registry-gate/state";
import { fixedKeys, makeKey } from "@registry-gate/token";
import { adminHandler } from "../admin/admin-handler.ts";
import { adminSlot } from "../admin/admin-slot.ts";
import { gateMetrics } from "../admin/gate-metrics.ts";
import { allMetrics } from "../admin/metrics/all-metrics.ts";
import { combineSnapshots } from "../admin/metrics/snapshot.ts";
import { gateReadiness } from "../admin/readiness/gate-readiness.ts";
import type { AuditEvent } from "../audit/audit-event.ts";
import { drainDelayOf } from "../config/sections/admin.ts";
import { drainTimeoutOf, type ListenConfiguration } from "../config/sections/listen.ts";
import { logLevelOf } from "../config/sections/log.ts";
import { workerCount } from "../config/sections/workers.ts";
import type { Gate } from "../gate/gate.ts";
import { gateLoader } from "../gate/gate-loader.ts";
import type { LoadedGate } from "../gate/load-gate.ts";
import { ownSockets } from "../listener/socket-source.ts";
import { openLog } from "../log/log.ts";
import { reportListening, reportWarnings } from "../log/reports.ts";
import { drain } from "../process/drain.ts";
import { drainDelay } from "../process/drain-delay.ts";
import type { Gateway, GatewayOptions } from "../process/gateway.ts";
import { gatewayServices, type PreparedServices } from "../process/gateway-services.ts";
import { pushMetrics } from "../process/metrics-push.ts";
import { type Applied, type Reloaded, startReloader } from "../reload/reloader.ts";
import { version } from "../version.ts";
import { warningsOf } from "../warnings/warnings.ts";
import { primarySockets } from "./primary-sockets.ts";
import { serveState } from "./process-state.ts";
import { prepareRollout } from "./rollout.ts";
import { acceptedOf, packedTls } from "./sent-files.ts";
import { createSupervisor, type WorkerProcess } from "./supervisor.ts";
import { begin, certificate, failed, finish, type Place, reserveSocket, started } from "./topics.ts";
import { workerServices } from "./worker-services.ts";

/** How long the workers may take until all of them listen, in milliseconds. */
const startLimit = 120_000;
/** How much longer than its requests may take a worker lives whose place was given up, in milliseconds. */
const dismissalGrace = 10_000;

/**
 * Starts a gateway of several processes: this one handles no request, but starts the others, follows the files, and decides
 * what is in force.
 *
 * @throws {InvalidOptionsError} with every fault; then nothing is left running.
 */
export async function startPrimary(file: string, { portal }: GatewayOptions = {}): Promise<Gateway> {
  const path = resolve(file);
  const log = openLog();
  const { logger } = log;
  const key = await makeKey();
  const ticketSecret = randomBytes(32).toString("base64");
  const state = memoryState();
  const loader = gateLoader(path, {
    log: logger,
    processes: { keys: fixedKeys(key), state },
    portal: portal?.({ status: async () => ({ parts: [], validTo: undefined }) }),
  });
  const sockets = primarySockets();
  const delay = drainDelay(logger);
  let broken = false;
  let restarts = 0;
  let closing: Promise<void> | undefined;
  const forWorkers = workerServices(() => services);
  const metrics = gateMetrics(
    {
      inFlight: () => 0,
      connections: () => 0,
      validTo: () => current.gate.tls?.validTo,
      readiness: () => readiness.last,
      readOnly: () => forWorkers.readOnly.on,
      // The workers measure theirs.
      writesInFlight: () => 0,
      notificationsWaiting: () => services.notifier.waiting,
      logLinesDropped: () => log.output.dropped,
      workerRestarts: () => restarts,
    },
    version(),
  );
  const startMeasuring = (): void => {
    metrics.start();
    forWorkers.measure();
    // Loaded before somebody waits for it. A failure is one of whoever asks.
    void import("../admin/metrics/prometheus-text.ts").catch(() => {});
  };
  const sources = {
    snapshots: async () => [metrics.snapshot(), ...(await forWorkers.snapshots())],
    readiness: async () => forWorkers.readiness(await readiness.readiness(), count),
  };
  const text = async () => (await import("../admin/metrics/prometheus-text.ts")).prometheusText(version(), process.env);
  const admin = adminSlot(adminHandler(sources, text, logger), startMeasuring, logger);
  const services = gatewayServices(log, forWorkers.readOnly, admin);
  let current = await loader.rehearse();
  let count = workerCount(current.gate.configuration.workers);
  let accepted = acceptedOf(current, count);
  logger.level = logLevelOf(current.gate.configuration.log);
  takeInherited(current, undefined);

  let listening: Place | undefined;
  const readiness = gateReadiness({
    // The backends of the primary's own gate are closed: the workers say how theirs are.
    currentGate: withoutBackends(() => current),
    unready: () => (broken ? "failed" : closing === undefined ? undefined : "stopping"),
    validTo: () => current.gate.tls?.validTo,
    readOnly: () => forWorkers.readOnly.on,
    auditFailure: () => services.audit.failure,
    log: logger,
  });
  /** A worker begins with what is in force, which a reload may be about to change. */
  let reloading: Promise<unknown> = Promise.resolve();
  /** Those that know what is in force, and have to hear of what is next. */
  const begun = new Set<WorkerProcess>();
  const first = Promise.withResolvers<void>();
  // It may fail before anybody waits for it.
  first.promise.catch(() => {});

  const supervisor = createSupervisor({
    log: logger,
    pass: log.output.write,
    onStart: attend,
    onEnd(worker) {
      restarts++;
      if (listening === undefined) first.reject(new Error(`worker ${worker.number} ended before it could listen`));
      else if ("inherited" in addressOf(current) && !supervisor.workers.some(({ ready }) => ready)) {
        // The last one has closed it for good. Whoever has passed it passes it again to the next process.
        throw new Error("every worker has ended, and the socket that systemd has passed is closed with them");
      }
    },
    dismiss(worker) {
      const timeLimit = drainTimeoutOf(current.gate.configuration.listen);
      worker.channel.tell(finish, timeLimit);
      // Nobody looks any more whether it hangs.
      setTimeout(worker.kill, timerDelay(timeLimit + dismissalGrace)).unref();
    },
  });
  // Whatever ends this process ends the others, at once.
  process.once("exit", supervisor.kill);

  /** Answers to one worker, from its first message on. */
  function attend(worker: WorkerProcess): void {
    const { channel, number, pid } = worker;
    channel.onClose(() => begun.delete(worker));
    serveState(channel, state);
    forWorkers.attend(channel);
    channel.reply(begin, async () => {
      await reloading;
      begun.add(worker);
      return { worker: number, accepted, key, ticketSecret };
    });
    channel.reply(reserveSocket, async (place) => {
      try {
        const inUse = supervisor.workers.some(({ ready }) => ready);
        return { temporary: await sockets.reserve(place, inUse), faults: [] };
      } catch (error) {
        return { temporary: "", faults: faultsOf(error) };
      }
    });
    channel.reply(started, async (place) => {
      try {
        await sockets.place();
      } catch (error) {
        if (listening === undefined) first.reject(error);
        return { faults: faultsOf(error) };
      }
      worker.markReady();
      logger.info({ event: "worker started", worker: number, pid }, "worker started");
      const all = supervisor.workers.every(({ ready }) => ready);
      if (listening === undefined && all) {
        listening = place;
        first.resolve();
      }
      return { faults: [] };
    });
    channel.reply(failed, ({ faults }) => {
      const error = new InvalidOptionsError(faults);
      if (listening === undefined) first.reject(error);
      else logger.error({ event: "worker failed", worker: number, faults: error.message }, "worker cannot start");
      return null;
    });
  }

  async function apply(next: LoadedGate, farewell?: AuditEvent): Promise<Applied> {
    const nextCount = workerCount(next.gate.configuration.workers);
    if (nextCount === 1) throw oneWorkerFault();
    const { promise, resolve: release } = Promise.withResolvers<void>();
    reloading = promise;
    let change: PreparedServices | undefined;
    try {
      takeInherited(next, current);
      change = await services.prepare(next);
      const candidate = acceptedOf(next, nextCount);
      const followers = [...begun].filter(({ dismissed }) => !dismissed);
      const rollout = await prepareRollout(followers, candidate);
      try {
        await sockets.place();
      } catch (error) {
        await rollout.abort();
        throw error;
      }
      [current, accepted, count] = [next, candidate, nextCount];
      const place = await rollout.commit();
      if (!("socket" in addressOf(next))) sockets.leave();
      supervisor.resize(count);
      listening = place ?? listening;
      return { anew: place?.anew ?? false, finished: change.commit(farewell) };
    } catch (error) {
      await change?.discard();
      await sockets.abandon();
      throw error;
    } finally {
      release();
    }
  }

  const running: Reloaded = {
    get current() {
      return current;
    },
    get listening() {
      return listening ?? { name: "", secure: false };
    },
    load: () => loader.rehearse(),
    apply,
    setTls(identity) {
      current = { ...current, gate: { ...current.gate, tls: identity } };
      accepted = { ...accepted, tls: packedTls(identity.files) };
      for (const { channel } of begun) channel.tell(certificate, accepted.tls);
    },
  };

  // Before anything listens: what was made read-only stays so when the gate is started anew.
  services.maintenance.apply(current.gate.configuration.maintenance);
  let change: PreparedServices | undefined;
  const late = setTimeout(() => first.reject(new Error("the workers do not start")), startLimit);
  try {
    change = await services.prepare(current);
    supervisor.resize(count);
    await first.promise;
  } catch (error) {
    await change?.discard();
    readiness.close();
    await services.close();
    supervisor.stop();
    supervisor.kill();
    await supervisor.ended();
    await sockets.abandon();
    sockets.leave();
    throw error;
  } finally {
    clearTimeout(late);
  }
  reportListening(logger, running.listening);
  await change.commit();
  reportWarnings(logger, await warningsOf(current.gate));
  const push = await pushMetrics(async () => combineSnapshots(await sources.snapshots(), allMetrics), logger);
  if (push !== undefined) startMeasuring();
  const reloader = startReloader(path, running, { loader, audit: services.audit, log: logger });

  async function close(timeLimit: number): Promise<void> {
    await drain(services.outputs, timeLimit, {
      async finish() {
        supervisor.stop();
        await reloader.stop();
        sockets.leave();
        // Before this process loses its patience.
        const rest = Math.max(0.8 * timeLimit - 200, 0);
        for (const { channel } of supervisor.workers) channel.tell(finish, rest);
        await supervisor.ended();
        await Promise.all([services.close(), push?.stop()]);
        readiness.close();
        metrics.stop();
        forWorkers.close();
      },
      cut() {
        supervisor.kill();
        admin.cut();
      },
    });
  }

  return {
    get address() {
      return running.listening.name;
    },
    get secure() {
      return running.listening.secure;
    },
    get ready() {
      return closing === undefined && !broken;
    },
    skipDrainDelay: delay.skip,
    reload: () => reloader.reload("signal"),
    get maintenance() {
      return services.maintenance.state;
    },
    toggleReadOnly: services.maintenance.toggleBySignal,
    reportUncaught(error) {
      broken = true;
      delay.skip();
      logger.error({ event: "uncaught error", err: error }, "uncaught error; shutting down");
    },
    close(timeLimit) {
      closing ??= Promise.resolve().then(async () => {
        const { admin: adminSection, listen } = current.gate.configuration;
        if (timeLimit === undefined && !broken) await delay.pass(drainDelayOf(adminSection));
        await close(timeLimit ?? drainTimeoutOf(listen));
      });
      return closing;
    },
  };
}

/** The same gate for as long as it is in force, so that what is found out about it is remembered. */
function withoutBackends(current: () => LoadedGate): () => Gate {
  let of: Gate | undefined;
  let without: Gate | undefined;
  return () => {
    const { gate } = current();
    if (without === undefined || of !== gate) without = { ...gate, backends: [], state: undefined };
    of = gate;
    return without;
  };
}

function addressOf({ gate }: LoadedGate): ListenConfiguration["address"] {
  return gate.configuration.listen.address;
}

/**
 * Finds the socket that systemd has passed, which the workers listen on by its number in this process.
 *
 * @throws {InvalidOptionsError} at `listen.address` where there is none.
 */
function takeInherited(next: LoadedGate, former: LoadedGate | undefined): void {
  const address = addressOf(next);
  if (!("inherited" in address)) return;
  const before = former && addressOf(former);
  if (before !== undefined && "inherited" in before && before.inherited === address.inherited) return;
  ownSockets.inherited(address.inherited);
}

function oneWorkerFault(): InvalidOptionsError {
  const message = "the gate runs as several processes, which a reload cannot make one: restart registry-gate serve";
  return new InvalidOptionsError([{ path: ["workers"], message }]);
}

function faultsOf(error: unknown): InvalidOptionsError["faults"] {
  if (error instanceof InvalidOptionsError) return error.faults;
  throw error;
}
