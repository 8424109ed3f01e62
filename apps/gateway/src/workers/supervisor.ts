import cluster, { type Worker } from "node:cluster";
import type { Logger } from "@registry-gate/auth";
import { type Channel, openChannel } from "./channel.ts";
import { portToWorker } from "./ports.ts";
import { alive } from "./topics.ts";
import { wholeLines } from "./whole-lines.ts";
import { markWorker } from "./worker-mark.ts";

/** A process that handles requests, as the primary sees it. */
export interface WorkerProcess {
  /** Of its place, from 1: whatever takes the place has the same number. */
  readonly number: number;
  readonly pid: number | undefined;
  readonly channel: Channel;
  /** Says that it handles requests: from now on its death is not counted as a failure to start. */
  markReady(): void;
  readonly ready: boolean;
  /** Whether its place was given up: it finishes its requests, and follows nothing any more. */
  readonly dismissed: boolean;
  kill(): void;
}

/** Keeps a number of workers running. */
export interface Supervisor {
  /** Those whose processes run, in the order of their places. */
  readonly workers: readonly WorkerProcess[];
  /** Starts workers for places that have none, at once also those that wait for another try; gives up places beyond the number. */
  resize(count: number): void;
  /** Starts no worker any more. */
  stop(): void;
  kill(): void;
  /** Resolves when no worker runs any more, and everything that they have written was passed on. */
  ended(): Promise<void>;
}

export interface SupervisorOptions {
  readonly log: Logger;
  /** Called for each new process, before it can say anything. */
  readonly onStart: (worker: WorkerProcess) => void;
  /** Called when a process has ended that was not given up. */
  readonly onEnd: (worker: WorkerProcess) => void;
  /** Ends a worker whose place is given up, with its requests. */
  readonly dismiss: (worker: WorkerProcess) => void;
  /** Takes whole lines of the workers' standard outputs. */
  readonly pass: (lines: string) => void;
  /** How long a worker may be silent before it counts as hung, in milliseconds. Default 30 000. */
  readonly silence?: number;
}

interface Slot {
  readonly number: number;
  process: RunningWorker | undefined;
  /** How often in a row a worker has ended soon. */
  failures: number;
  timer: NodeJS.Timeout | undefined;
}

interface RunningWorker extends WorkerProcess {
  /** On the monotonic clock, in milliseconds. */
  lastSeen: number;
  readySince: number | undefined;
  hung: boolean;
  dismissed: boolean;
}

/** How often workers say that they are alive, in milliseconds. */
export const heartbeat = 1000;
/** The pauses before a worker is replaced: none the first time, then from the first to the second, in milliseconds. */
const backOff = { first: 250, longest: 30_000 } as const;
/** One that has run for so long did not fail at its start, in milliseconds. */
const settled = 30_000;

/**
 * V8 optimizes code between requests, and not in threads beside them: workers are there to use all cores by themselves, and
 * what these threads take of the C heap, a third of a worker, never comes back. No function holds up requests for more than
 * 10 ms, and all of them for half a second. See docs/processes.md.
 */
const compileInTurn = "--no-concurrent-recompilation";

/** Sets up the way in which workers start. Listening sockets are handed to them: none has to take connections for others. */
export function createSupervisor(options: SupervisorOptions): Supervisor {
  const { log, onStart, onEnd, dismiss, pass, silence = 30_000 } = options;
  // The kernel gives each connection to a worker that has time for it. Handing them out by messages costs as much again as
  // accepting them, and shares them less evenly: see docs/workers.md.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({
    args: process.argv.slice(2),
    execArgv: [...process.execArgv, compileInTurn],
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  const slots: Slot[] = [];
  const running = new Set<Promise<void>>();
  let stopped = false;
  let looked = performance.now();

  function start(slot: Slot): void {
    const forked = cluster.fork(markWorker(slot.number));
    const closed = untilClosed(forked);
    running.add(closed);
    void closed.finally(() => running.delete(closed));
    forked.process.stdout?.on("data", wholeLines(pass));
    const worker = runningWorker(slot.number, forked);
    slot.process = worker;
    worker.channel.reply(alive, () => {
      worker.lastSeen = performance.now();
      return null;
    });
    let over = false;
    const end = (code: number | null, signal: string | null): void => {
      if (over) return;
      over = true;
      ended(slot, worker, code, signal);
    };
    forked.once("exit", end);
    // It could not be started at all.
    forked.on("error", () => forked.isDead() && end(null, null));
    onStart(worker);
  }

  function ended(slot: Slot, worker: RunningWorker, code: number | null, signal: string | null): void {
    if (slot.process === worker) slot.process = undefined;
    const about = { worker: worker.number, pid: worker.pid, code: code ?? undefined, signal: signal ?? undefined };
    if (stopped || worker.dismissed) {
      log.info({ event: "worker ended", ...about }, "worker ended");
      return;
    }
    const since = worker.readySince;
    if (since !== undefined && performance.now() - since >= settled) slot.failures = 0;
    const pause = slot.failures === 0 ? 0 : Math.min(backOff.first * 2 ** (slot.failures - 1), backOff.longest);
    slot.failures++;
    const hung = worker.hung ? { hung: true } : {};
    log.error({ event: "worker ended", ...about, ...hung, pause }, "worker ended unexpectedly; starting another one");
    slot.timer = setTimeout(() => {
      if (!stopped && slots.includes(slot)) start(slot);
    }, pause);
    onEnd(worker);
  }

  const watch = setInterval(() => {
    const now = performance.now();
    // This process itself stood still: what the workers have said meanwhile is not read yet.
    const late = now - looked > 5 * heartbeat;
    looked = now;
    for (const { process: worker } of slots) {
      if (worker === undefined || worker.hung) continue;
      if (late) worker.lastSeen = now;
      if (now - worker.lastSeen <= silence) continue;
      worker.hung = true;
      const about = { worker: worker.number, pid: worker.pid, silence };
      log.error({ event: "worker hung", ...about }, "worker does nothing any more; killing it");
      worker.kill();
    }
  }, heartbeat).unref();

  const workers = (): readonly RunningWorker[] => slots.flatMap(({ process }) => process ?? []);

  return {
    get workers() {
      return workers();
    },
    resize(count) {
      for (const slot of slots.splice(count)) {
        clearTimeout(slot.timer);
        if (slot.process === undefined) continue;
        slot.process.dismissed = true;
        dismiss(slot.process);
      }
      for (const slot of slots) {
        slot.failures = 0;
        if (slot.process !== undefined) continue;
        clearTimeout(slot.timer);
        start(slot);
      }
      while (slots.length < count) {
        const slot: Slot = { number: slots.length + 1, process: undefined, failures: 0, timer: undefined };
        slots.push(slot);
        start(slot);
      }
    },
    stop() {
      stopped = true;
      clearInterval(watch);
      for (const { timer } of slots) clearTimeout(timer);
    },
    kill() {
      for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill("SIGKILL");
    },
    async ended() {
      await Promise.all(running);
    },
  };
}

function runningWorker(number: number, forked: Worker): RunningWorker {
  return {
    number,
    pid: forked.process.pid,
    channel: openChannel(portToWorker(forked)),
    markReady() {
      this.readySince ??= performance.now();
    },
    get ready() {
      return this.readySince !== undefined;
    },
    kill: () => void forked.process.kill("SIGKILL"),
    lastSeen: performance.now(),
    readySince: undefined,
    hung: false,
    dismissed: false,
  };
}

/** How long a process that a plugin has left behind may hold a worker's output open, in milliseconds. */
const outputTime = 500;

/** Until the process has ended and its output was read. */
async function untilClosed(worker: Worker): Promise<void> {
  const { promise: exited, resolve } = Promise.withResolvers<void>();
  const { promise: closed, resolve: close } = Promise.withResolvers<void>();
  worker.once("exit", () => resolve());
  worker.on("error", () => worker.isDead() && resolve());
  worker.process.once("close", () => close());
  await exited;
  const late = new Promise<void>((end) => void setTimeout(end, outputTime));
  await Promise.race([closed, late]);
}
