import cluster from "node:cluster";
import { InvalidOptionsError } from "@registry-gate/auth";
import type { ReadOnlySwitch } from "@registry-gate/core";
import { fixedKeys } from "@registry-gate/token";
import type { Logger } from "pino";
import { type GateMetrics, gateMetrics } from "../admin/gate-metrics.ts";
import { gateReadiness } from "../admin/readiness/gate-readiness.ts";
import { drainTimeoutOf } from "../config/sections/listen.ts";
import { logLevelOf } from "../config/sections/log.ts";
import { endsWithin } from "../ends-within.ts";
import type { Gate } from "../gate/gate.ts";
import { type GateLoader, gateLoader, type LoaderOptions } from "../gate/gate-loader.ts";
import type { OpenPortalIn } from "../gate/gate-portal.ts";
import { type GateSlot, gateSlot } from "../gate/gate-slot.ts";
import { listenerSetup } from "../listener/listener-setup.ts";
import { type ListenerSlot, openListenerSlot } from "../listener/listener-slot.ts";
import { type GatewayLog, openLog } from "../log/log.ts";
import { oneLine } from "../one-line.ts";
import { drain } from "../process/drain.ts";
import { lastSpans } from "../process/gateway.ts";
import { listenerHandlers } from "../process/listener-handlers.ts";
import { catchUncaughtErrors } from "../process/uncaught-errors.ts";
import { identityOf } from "../tls/tls-identity.ts";
import { openTracing } from "../tracing/open-tracing.ts";
import { version } from "../version.ts";
import { type Channel, openChannel } from "./channel.ts";
import { portToPrimary } from "./ports.ts";
import { followPrimary, type Preparation } from "./preparation.ts";
import { servicesOfPrimary, tellMetrics, tellReadiness } from "./primary-services.ts";
import { stateOfPrimary } from "./process-state.ts";
import { contentsOf, unpackedTls } from "./sent-files.ts";
import { heartbeat } from "./supervisor.ts";
import { alive, type Beginning, begin, certificate, failed, finish, started } from "./topics.ts";
import { workerSockets } from "./worker-sockets.ts";

/** A reload may be in progress, which takes a minute at most, in milliseconds. */
const beginLimit = 90_000;
/** How long the end waits for the primary to take the last events, in milliseconds. */
const lastEvents = 1000;

/**
 * Runs this process as a worker: it handles requests, and follows the primary in everything else. It ends when the primary
 * says so or is gone, with the requests that have begun.
 *
 * @returns the exit code.
 */
export async function runWorker(portal?: OpenPortalIn): Promise<number> {
  // Node would end this process as soon as the primary is gone, with all requests.
  if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true;
  const channel = openChannel(portToPrimary());
  const beating = setInterval(() => channel.tell(alive, null), heartbeat);
  try {
    return await run(channel, await channel.ask(begin, null, beginLimit), portal);
  } catch (error) {
    const faults = error instanceof InvalidOptionsError ? error.faults : [{ path: [], message: oneLine(error) }];
    await channel.ask(failed, { faults }).catch(() => {});
    return 1;
  } finally {
    clearInterval(beating);
  }
}

/** What this process runs. */
interface RunningParts {
  readonly loader: GateLoader;
  readonly gates: GateSlot;
  readonly listener: ListenerSlot;
  readonly readOnly: ReadOnlySwitch;
}

async function run(channel: Channel, beginning: Beginning, portal: OpenPortalIn | undefined): Promise<number> {
  const log = openLog({ worker: beginning.worker });
  const { logger } = log;
  let ending = false;
  let parts: RunningParts | undefined;
  const uncaught = catchUncaughtErrors((error) => {
    ending = true;
    logger.error({ event: "uncaught error", err: error }, "uncaught error; the worker ends");
  });
  const metrics = gateMetrics(
    {
      inFlight: () => parts?.gates.inFlight ?? 0,
      connections: () => parts?.listener.connections ?? 0,
      // The primary follows the certificate.
      validTo: () => undefined,
      readiness: () => undefined,
      readOnly: () => parts?.readOnly.on ?? false,
      writesInFlight: () => parts?.readOnly.writesInFlight ?? 0,
      // The primary sends them.
      notificationsWaiting: () => 0,
      logLinesDropped: () => log.output.dropped,
    },
    version(),
  );
  const telling = tellMetrics(channel, metrics);
  const surroundings = { log: logger, logRequest: log.logRequest, metrics, isReady: () => !ending };
  const tracing = await openTracing(process.env, version());
  const opening = openParts(channel, beginning, surroundings, {
    tracer: tracing?.tracer,
    portal: portal?.({
      status: async () => ({ ...(await readiness.readiness()), validTo: parts?.listener.tls?.validTo }),
    }),
  });
  // The primary may decide something before this worker listens: it waits for that.
  follow(channel, opening, logger);
  const end = new Promise<number | undefined>((resolve) => {
    channel.reply(finish, (timeLimit) => {
      resolve(timeLimit);
      return null;
    });
    channel.onClose(() => resolve(undefined));
    void uncaught.first.then(() => resolve(undefined));
  });
  parts = await opening;
  const { gates, listener } = parts;
  const readiness = gateReadiness({
    currentGate: () => gates.current.gate,
    unready: () => (ending ? "stopping" : undefined),
    validTo: () => undefined,
    // The primary knows both.
    readOnly: () => false,
    auditFailure: () => undefined,
    log: logger,
  });
  tellReadiness(channel, readiness);
  const { faults } = await channel.ask(started, { name: listener.name, secure: listener.secure });
  if (faults.length > 0) throw new InvalidOptionsError(faults);

  const timeLimit = (await end) ?? drainTimeoutOf(gates.current.gate.configuration.listen);
  ending = true;
  await drain(log, timeLimit, {
    async finish() {
      await listener.close();
      await gates.retire();
      await listener.departed();
      await tracing?.close(lastSpans);
      readiness.close();
      telling.stop();
    },
    cut: listener.cut,
  });
  // The end of the process would take along what the primary has not read yet: the audit of the last requests.
  await endsWithin(lastEvents, channel.settled());
  return uncaught.count > 0 ? 1 : 0;
}

interface WorkerSurroundings {
  readonly log: Logger;
  readonly logRequest: GatewayLog["logRequest"];
  readonly metrics: GateMetrics;
  readonly isReady: () => boolean;
}

async function openParts(
  channel: Channel,
  { accepted, key, ticketSecret }: Beginning,
  { log, logRequest, metrics, isReady }: WorkerSurroundings,
  { tracer, portal }: Pick<LoaderOptions, "tracer" | "portal">,
): Promise<RunningParts> {
  const processes = { keys: fixedKeys(key), state: stateOfPrimary(channel) };
  const services = servicesOfPrimary(channel);
  const loader = gateLoader(accepted.source.path, {
    ...{ log, logRequest, processes, tracer, portal, onRequest: metrics.request },
    ...services,
  });
  const gates = gateSlot(await loader.load(contentsOf(accepted)));
  const currentGate = (): Gate => gates.current.gate;
  log.level = logLevelOf(currentGate().configuration.log);
  let starting = true;
  const listener = await openListenerSlot(
    listenerSetup(currentGate()),
    listenerHandlers({ currentGate, isReady }, log),
    { sockets: workerSockets(channel, () => starting), ticketSecret: Buffer.from(ticketSecret, "base64") },
  );
  starting = false;
  return { loader, gates, listener, readOnly: services.readOnly };
}

/** Does what the primary decides. */
function follow(channel: Channel, opening: Promise<RunningParts>, log: Logger): void {
  // Where this worker cannot start it is about to end, and says so itself: what is wrong is the configuration in force, and
  // must not be taken for a fault of the next one.
  const opened = opening.catch(() => new Promise<never>(() => {}));
  followPrimary(channel, async (next): Promise<Preparation> => {
    const { loader, gates, listener } = await opened;
    const loaded = await loader.load(contentsOf(next));
    try {
      const change = await listener.prepare(listenerSetup(loaded.gate));
      return {
        async commit() {
          const anew = await change.commit();
          gates.replace(loaded);
          log.level = logLevelOf(loaded.gate.configuration.log);
          return { name: listener.name, secure: listener.secure, anew };
        },
        async abort() {
          change.abort();
          await loaded.gate.retire();
        },
      };
    } catch (error) {
      await loaded.gate.retire();
      throw error;
    }
  });
  channel.reply(certificate, async (files) => {
    const { gates, listener } = await opened;
    const { tls } = gates.current.gate.configuration.listen;
    const contents = unpackedTls(files);
    if (tls !== undefined && contents !== undefined) listener.setTls(identityOf(tls, contents));
    return null;
  });
}
