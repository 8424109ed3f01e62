import { resolve } from "node:path";
import { createReadOnlySwitch } from "@registry-gate/core";
import { adminHandler } from "../admin/admin-handler.ts";
import { adminSlot } from "../admin/admin-slot.ts";
import { gateMetrics } from "../admin/gate-metrics.ts";
import { allMetrics } from "../admin/metrics/all-metrics.ts";
import { combineSnapshots } from "../admin/metrics/snapshot.ts";
import { gateReadiness } from "../admin/readiness/gate-readiness.ts";
import { drainDelayOf } from "../config/sections/admin.ts";
import { drainTimeoutOf } from "../config/sections/listen.ts";
import { logLevelOf } from "../config/sections/log.ts";
import type { Gate } from "../gate/gate.ts";
import { gateLoader } from "../gate/gate-loader.ts";
import type { OpenPortalIn } from "../gate/gate-portal.ts";
import { gateSlot } from "../gate/gate-slot.ts";
import { listenerSetup } from "../listener/listener-setup.ts";
import { type ListenerSlot, openListenerSlot } from "../listener/listener-slot.ts";
import { openLog } from "../log/log.ts";
import { reportListening, reportWarnings } from "../log/reports.ts";
import type { MaintenanceState } from "../observe/maintenance.ts";
import { type Reloaded, startReloader } from "../reload/reloader.ts";
import { openTracing } from "../tracing/open-tracing.ts";
import { version } from "../version.ts";
import { warningsOf } from "../warnings/warnings.ts";
import { drain } from "./drain.ts";
import { drainDelay } from "./drain-delay.ts";
import { gatewayServices, type PreparedServices } from "./gateway-services.ts";
import { listenerHandlers } from "./listener-handlers.ts";
import { pushMetrics } from "./metrics-push.ts";

/** A running gateway. */
export interface Gateway {
  /** Where it listens, such as `127.0.0.1:5043`. */
  readonly address: string;
  readonly secure: boolean;
  /** Whether new requests should be sent here: false from the moment that it stops or has failed. */
  readonly ready: boolean;
  /** Reads the configuration again. An invalid one is logged and rejected; the running configuration stays. */
  reload(): Promise<void>;
  /** Whether writes are refused for maintenance. */
  readonly maintenance: MaintenanceState;
  /** Makes the registry read-only until the next call, whatever else makes it so. */
  toggleReadOnly(): void;
  /** Logs an uncaught error, and is ready no more. The process should be ended, after {@link Gateway.close}. */
  reportUncaught(error: unknown): void;
  /**
   * Accepts nothing more, lets requests finish, and cuts those that have not in time for the end. Later calls wait for the
   * first.
   *
   * @param timeLimit By when it resolves, in milliseconds, whatever clients, backends and the reader of the log do; 400 ms
   * for the end itself are always taken. Default: `admin.drainDelay`, in which requests are accepted still, and then
   * `listen.drainTimeout`.
   */
  close(timeLimit?: number): Promise<void>;
  /**
   * Accepts no more requests at once, where it has begun to close and accepts some still.
   *
   * @returns false where it does not.
   */
  skipDrainDelay(): boolean;
}

/** How long the end waits for the collector of traces, in milliseconds. */
export const lastSpans = 1000;

/** What a gateway has beside what its configuration says. */
export interface GatewayOptions {
  /** Opens the pages beside the registry. Default: there are none. */
  readonly portal?: OpenPortalIn | undefined;
}

/**
 * Starts the gateway that a configuration file describes, and follows the file.
 *
 * @throws {InvalidOptionsError} with every fault; then nothing is left running.
 */
export async function startGateway(file: string, { portal }: GatewayOptions = {}): Promise<Gateway> {
  const path = resolve(file);
  const log = openLog();
  const { logger } = log;
  let closing: Promise<void> | undefined;
  let failed = false;
  const isReady = (): boolean => closing === undefined && !failed;
  const delay = drainDelay(logger);

  const metrics = gateMetrics(
    {
      inFlight: () => gates.inFlight,
      connections: () => listener.connections,
      validTo: () => listener.tls?.validTo,
      readiness: () => readiness.last,
      readOnly: () => readOnly.on,
      writesInFlight: () => readOnly.writesInFlight,
      notificationsWaiting: () => notifier.waiting,
      logLinesDropped: () => log.output.dropped,
    },
    version(),
  );
  const sources = { snapshots: async () => [metrics.snapshot()], readiness: () => readiness.readiness() };
  const text = async () => (await import("../admin/metrics/prometheus-text.ts")).prometheusText(version(), process.env);
  const watched = (): void => {
    metrics.start();
    // Loaded before somebody waits for it. A failure is one of whoever asks.
    void import("../admin/metrics/prometheus-text.ts").catch(() => {});
  };
  const admin = adminSlot(adminHandler(sources, text, logger), watched, logger);
  const readOnly = createReadOnlySwitch();
  const services = gatewayServices(log, readOnly, admin);
  const tracing = await openTracing(process.env, version());
  const { audit, notifier, maintenance } = services;
  const loader = gateLoader(path, {
    ...{ log: logger, logRequest: log.logRequest, onRequest: metrics.request, tracer: tracing?.tracer },
    portal: portal?.({ status: async () => ({ ...(await readiness.readiness()), validTo: listener.tls?.validTo }) }),
    ...{ auditSink: audit, eventSink: notifier, readOnly },
  });
  const gates = gateSlot(await loader.load());
  const currentGate = (): Gate => gates.current.gate;
  logger.level = logLevelOf(currentGate().configuration.log);
  const readiness = gateReadiness({
    currentGate,
    unready: () => (failed ? "failed" : closing === undefined ? undefined : "stopping"),
    validTo: () => listener.tls?.validTo,
    readOnly: () => readOnly.on,
    auditFailure: () => audit.failure,
    log: logger,
  });
  // Before anything listens: what was made read-only stays so when the gate is started anew.
  maintenance.apply(currentGate().configuration.maintenance);
  let listener: ListenerSlot;
  let change: PreparedServices | undefined;
  try {
    change = await services.prepare(gates.current);
    listener = await openListenerSlot(listenerSetup(currentGate()), listenerHandlers({ currentGate, isReady }, logger));
  } catch (error) {
    await change?.discard();
    readiness.close();
    await gates.retire();
    await services.close();
    await services.outputs.drained(0);
    throw error;
  }
  reportListening(logger, listener);
  await change.commit();
  reportWarnings(logger, await warningsOf(currentGate()));
  const push = await pushMetrics(async () => combineSnapshots(await sources.snapshots(), allMetrics), logger);
  if (push !== undefined) metrics.start();
  const running: Reloaded = {
    get current() {
      return gates.current;
    },
    listening: listener,
    load: () => loader.load(),
    async apply(next, farewell) {
      let change: PreparedServices | undefined;
      try {
        change = await services.prepare(next);
        const anew = await listener.change(listenerSetup(next.gate));
        gates.replace(next);
        return { anew, finished: change.commit(farewell) };
      } catch (error) {
        await change?.discard();
        await next.gate.retire();
        throw error;
      }
    },
    setTls: listener.setTls,
  };
  const reloader = startReloader(path, running, { loader, audit, log: logger });

  async function finish(): Promise<void> {
    const first = listener.close();
    await reloader.stop();
    // A reload that had begun may have put another listener in its place.
    await Promise.all([first, listener.close()]);
    await gates.retire();
    await listener.departed();
    await tracing?.close(lastSpans);
    await Promise.all([services.close(), push?.stop()]);
    readiness.close();
    metrics.stop();
  }

  function cut(): void {
    listener.cut();
    admin.cut();
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
    reload: () => reloader.reload("signal"),
    get maintenance() {
      return maintenance.state;
    },
    toggleReadOnly: maintenance.toggleBySignal,
    reportUncaught(error) {
      failed = true;
      delay.skip();
      logger.error({ event: "uncaught error", err: error }, "uncaught error; shutting down");
    },
    close(timeLimit) {
      // It counts as closing before anything else happens.
      closing ??= Promise.resolve().then(async () => {
        if (timeLimit === undefined && !failed) await delay.pass(drainDelayOf(currentGate().configuration.admin));
        await drain(services.outputs, timeLimit ?? drainTimeoutOf(currentGate().configuration.listen), { finish, cut });
      });
      return closing;
    },
    skipDrainDelay: delay.skip,
  };
}
