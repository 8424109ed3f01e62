import type { Logger } from "@registry-gate/auth";
import { idleWaiters } from "../idle-waiters.ts";
import { type AuditFailure, auditFailure, auditWritten } from "../observe/audit-failure.ts";
import type { AuditEvent } from "./audit-event.ts";
import { AuditFailedError, type AuditSink } from "./audit-sink.ts";
import { AppendError, type AuditLine, failureReason, type LineDestination } from "./line-destination.ts";

/** Writes events to a destination, in their order and each of them once. */
export interface AuditWriter extends AuditSink {
  /** The next event goes to what has the destination's name now. */
  reopen(): void;
  /** Takes no further event, and resolves when all are written, or after `timeLimit` milliseconds. */
  close(timeLimit: number): Promise<void>;
}

export interface AuditWriterOptions {
  /** How many bytes may wait to be written. Events beyond them are lost, and counted. Default 8 MiB. */
  readonly capacity?: number;
  /** How long somebody waits for a write, in milliseconds: a disk may hang. Default 5000. */
  readonly patience?: number;
  /** How long lines are at most on their way to the disk, in milliseconds. Default 100. */
  readonly syncDelay?: number;
  /** When a failed write is tried again, in milliseconds. Default 1000. */
  readonly retryDelay?: number;
}

interface Waiting extends AuditLine {
  readonly resolve: () => void;
  readonly reject: (error: AuditFailedError) => void;
}

/** What one call of `append` takes, at most. */
const batchSize = 256 * 1024;
/** How often the log says that the audit still cannot be written, in milliseconds. */
const reportInterval = 30_000;

export function auditWriter(destination: LineDestination, log: Logger, options: AuditWriterOptions = {}): AuditWriter {
  const { capacity = 8 * 1024 * 1024, patience = 5000, syncDelay = 100, retryDelay = 1000 } = options;
  let lines: Waiting[] = [];
  let waitingBytes = 0;
  let lost = 0;
  let failure: string | undefined;
  let reportedAt = Number.NEGATIVE_INFINITY;
  /** Whether the destination is being called. */
  let active = false;
  let dirty = false;
  let closed = false;
  let retryTimer: NodeJS.Timeout | undefined;
  let syncTimer: NodeJS.Timeout | undefined;
  const waiters = idleWaiters();

  /** @param count How many events were lost just now. */
  function report(state: "failing" | "lost" | "recovered", count = 0): void {
    publish(state, count);
    const now = performance.now();
    if (state === "recovered") {
      reportedAt = Number.NEGATIVE_INFINITY;
      log.warn({ event: "audit written again", lost }, "the audit can be written again");
      return;
    }
    if (now - reportedAt < reportInterval) return;
    reportedAt = now;
    const fields = { event: "audit failure", reason: failure, waiting: lines.length, lost };
    log.error(fields, "the audit cannot be written");
  }

  function publish(state: AuditFailure["state"], count: number): void {
    auditFailure.publish(() => ({ state, reason: failure, waiting: lines.length, lost, count }));
  }

  /** Those who wait are told; the lines are kept, and tried again. */
  function fail(reason: string): void {
    failure = reason;
    const error = new AuditFailedError(`the audit cannot be written: ${reason}`);
    for (const { reject } of lines) reject(error);
    report("failing");
  }

  function recover(): void {
    if (failure === undefined) return;
    failure = undefined;
    report("recovered");
  }

  function take(count: number): void {
    const taken = lines.splice(0, count);
    for (const { text, resolve } of taken) {
      waitingBytes -= text.length;
      resolve();
    }
    dirty ||= taken.length > 0;
    if (taken.length > 0) auditWritten.publish(() => ({ count: taken.length }));
  }

  function nextBatch(): readonly Waiting[] {
    let size = 0;
    const end = lines.findIndex(({ text }) => {
      size += text.length;
      return size > batchSize;
    });
    return lines.slice(0, end === -1 ? lines.length : Math.max(end, 1));
  }

  /** @returns whether it went well. */
  async function step(work: () => Promise<void>): Promise<boolean> {
    const slow = setTimeout(() => fail("ETIMEDOUT"), patience).unref();
    try {
      await work();
      return true;
    } catch (error) {
      if (error instanceof AppendError) take(error.taken);
      fail(error instanceof AppendError ? error.message : failureReason(error));
      return false;
    } finally {
      clearTimeout(slow);
    }
  }

  async function append(): Promise<void> {
    const batch = nextBatch();
    await destination.append(batch);
    take(batch.length);
  }

  async function sync(): Promise<void> {
    await destination.sync();
    dirty = false;
  }

  /** @param work Done first. */
  async function run(...work: readonly (() => Promise<void>)[]): Promise<void> {
    if (active) return;
    active = true;
    let good = true;
    // After a failure nothing else shows that lines can be written: a sync alone may go well on a full disk.
    for (const each of failure === undefined ? work : [append, sync]) good = good && (await step(each));
    if (good) recover();
    while (good && lines.length > 0) {
      good = await step(append);
      if (good) recover();
    }
    active = false;
    if (good) {
      if (dirty) syncTimer ??= setTimeout(syncNow, syncDelay).unref();
    } else {
      clearTimeout(retryTimer);
      retryTimer = setTimeout(retry, retryDelay).unref();
    }
    // A line may have come in the last moment.
    if (good && lines.length > 0) void run();
    else waiters.tell();
  }

  function retry(): void {
    retryTimer = undefined;
    void run();
  }

  function syncNow(): void {
    syncTimer = undefined;
    if (!active) void run(sync);
    else syncTimer = setTimeout(syncNow, syncDelay).unref();
  }

  return {
    get failure() {
      return failure;
    },
    write(event: AuditEvent) {
      const text = `${JSON.stringify(event)}\n`;
      if (closed || waitingBytes + text.length > capacity) {
        lost++;
        report("lost", 1);
        return Promise.reject(new AuditFailedError("too many events wait to be written"));
      }
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      lines.push({ event, text, resolve, reject });
      waitingBytes += text.length;
      if (failure !== undefined) reject(new AuditFailedError(`the audit cannot be written: ${failure}`));
      // While it fails, the next attempt comes by itself.
      if (retryTimer === undefined) queueMicrotask(() => void run());
      return promise;
    },
    reopen() {
      destination.reopen();
      if (failure !== undefined && !active) retry();
    },
    async close(timeLimit) {
      const deadline = performance.now() + timeLimit;
      closed = true;
      clearTimeout(retryTimer);
      retryTimer = undefined;
      // What has not begun yet begins first.
      await Promise.resolve();
      if (!active && lines.length > 0) void run();
      if (active) await waiters.wait(timeLimit);
      if (!active && dirty) {
        void run(sync);
        await waiters.wait(Math.max(deadline - performance.now(), 0));
      }
      clearTimeout(retryTimer);
      clearTimeout(syncTimer);
      const left = lines.length;
      lost += left;
      if (left > 0) {
        lines = [];
        reportedAt = Number.NEGATIVE_INFINITY;
        report("lost", left);
      }
      if (failure !== undefined) publish("abandoned", 0);
      if (!active) await destination.close().catch(() => {});
    },
  };
}
