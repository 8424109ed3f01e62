import { randomBytes } from "node:crypto";
import { resolve } from "node:path";
import { InvalidOptionsError } from "@registry-gate/auth";
import { memoryState } from "@registry-gate/state";
import { fixedKeys, makeKey } from "@registry-gate/token";
import { drainTimeoutOf, type ListenConfiguration } from "../config/sections/listen.ts";
import { logLevelOf } from "../config/sections/log.ts";
import { workerCount } from "../config/sections/workers.ts";
import { gateLoader } from "../gate/gate-loader.ts";
import type { LoadedGate } from "../gate/load-gate.ts";
import { ownSockets } from "../listener/socket-source.ts";
import { openLog } from "../log/log.ts";
import { reportListening, reportWarnings } from "../log/reports.ts";
import { drain } from "../process/drain.ts";
import type { Gateway } from "../process/gateway.ts";
import { type Reloaded, startReloader } from "../reload/reloader.ts";
import { warningsOf } from "../warnings/warnings.ts";
import { primarySockets } from "./primary-sockets.ts";
import { serveState } from "./process-state.ts";
import { prepareRollout } from "./rollout.ts";
import { acceptedOf, packedTls } from "./sent-files.ts";
import { createSupervisor, type WorkerProcess } from "./supervisor.ts";
import { begin, certificate, failed, finish, type Place, reserveSocket, started } from "./topics.ts";

/** How long the workers may take until all of them listen, in milliseconds. */
const startLimit = 120_000;

/**
 * Starts a gateway of several processes: this one handles no request, but starts the others, follows the files, and decides
 * what is in force.
 *
 * @throws {InvalidOptionsError} with every fault; then nothing is left running.
 */
export async function startPrimary(file: string): Promise<Gateway> {
  const path = resolve(file);
  const log = openLog();
  const { logger } = log;
  const key = await makeKey();
  const ticketSecret = randomBytes(32).toString("base64");
  const state = memoryState();
  const loader = gateLoader(path, { log: logger, processes: { keys: fixedKeys(key), state } });
  const sockets = primarySockets();
  let current = await loader.rehearse();
  let count = workerCount(current.gate.configuration.workers);
  let accepted = acceptedOf(current, count);
  logger.level = logLevelOf(current.gate.configuration.log);
  takeInherited(current, undefined);

  let listening: Place | undefined;
  let closing: Promise<void> | undefined;
  let broken = false;
  /** A worker begins with what is in force, which a reload may be about to change. */
  let reloading: Promise<unknown> = Promise.resolve();
  /** Those that know what is in force, and have to hear of what is next. */
  const begun = new Set<WorkerProcess>();
  const first = Promise.withResolvers<void>();
  // It may fail before anybody waits for it.
  first.promise.catch(() => {});

  const supervisor = createSupervisor({
    log: logger,
    pass: log.pass,
    onStart: attend,
    onEnd(worker) {
      if (listening === undefined) first.reject(new Error(`worker ${worker.number} ended before it could listen`));
      else if ("inherited" in addressOf(current) && !supervisor.workers.some(({ ready }) => ready)) {
        // The last one has closed it for good. Whoever has passed it passes it again to the next process.
        throw new Error("every worker has ended, and the socket that systemd has passed is closed with them");
      }
    },
    dismiss: (worker) => worker.channel.tell(finish, drainTimeoutOf(current.gate.configuration.listen)),
  });
  // Whatever ends this process ends the others, at once.
  process.once("exit", supervisor.kill);

  /** Answers to one worker, from its first message on. */
  function attend(worker: WorkerProcess): void {
    const { channel, number, pid } = worker;
    channel.onClose(() => begun.delete(worker));
    serveState(channel, state);
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

  async function apply(next: LoadedGate): Promise<boolean> {
    const nextCount = workerCount(next.gate.configuration.workers);
    if (nextCount === 1) throw oneWorkerFault();
    const { promise, resolve: release } = Promise.withResolvers<void>();
    reloading = promise;
    try {
      takeInherited(next, current);
      const candidate = acceptedOf(next, nextCount);
      const rollout = await prepareRollout([...begun], candidate);
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
      return place?.anew ?? false;
    } catch (error) {
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

  supervisor.resize(count);
  const late = setTimeout(() => first.reject(new Error("the workers do not start")), startLimit);
  try {
    await first.promise;
  } catch (error) {
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
  reportWarnings(logger, warningsOf(current.gate));
  const reloader = startReloader(path, running, { loader, log: logger });

  async function close(timeLimit: number): Promise<void> {
    await drain(log, timeLimit, {
      async finish() {
        supervisor.stop();
        await reloader.stop();
        sockets.leave();
        // Before this process loses its patience.
        const rest = Math.max(0.8 * timeLimit - 200, 0);
        for (const { channel } of supervisor.workers) channel.tell(finish, rest);
        await supervisor.ended();
      },
      cut: supervisor.kill,
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
    skipDrainDelay: () => false,
    reload: reloader.reload,
    reportUncaught(error) {
      broken = true;
      logger.error({ event: "uncaught error", err: error }, "uncaught error; shutting down");
    },
    close(timeLimit) {
      closing ??= Promise.resolve().then(() => close(timeLimit ?? drainTimeoutOf(current.gate.configuration.listen)));
      return closing;
    },
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
