import { write } from "node:fs";
import { idleWaiters } from "../idle-waiters.ts";

/** Takes the lines of a log, and never makes the caller wait. */
export interface LogOutput {
  /** Takes whole lines, the end of the last one included. */
  write(lines: string): void;
  /**
   * Takes a line, and writes it without waiting for others.
   *
   * @throws {Error} where it was dropped.
   */
  writeAcknowledged(line: string): Promise<void>;
  /** How many lines were dropped since the start. */
  readonly dropped: number;
  /** Resolves when every line is written, or after `timeLimit` milliseconds. */
  drained(timeLimit: number): Promise<void>;
}

interface Batch {
  readonly bytes: Buffer;
  /** Called when all of it is written. */
  readonly acknowledgements: readonly (() => void)[];
}

export interface LogOutputOptions {
  /** How many bytes may wait to be written. Lines beyond them are dropped and counted. */
  readonly capacity: number;
  /**
   * Called as soon as lines can be written again after some were dropped. What it writes stands where those would have
   * stood.
   */
  readonly onDropped: (dropped: DroppedLines) => void;
}

export interface DroppedLines {
  readonly lines: number;
  /** The code of the last error, such as `ENOSPC`; `EAGAIN` where the reader was too slow. */
  readonly reason: string | undefined;
}

/** Lines are written together up to this size, which is what a pipe holds on Linux. */
const batchSize = 64 * 1024;
/** A line waits so long for others, in milliseconds: a write costs as much as all else that is done for a line. */
const batchDelay = 10;
/** After an error other than a full pipe: a disk gets room again, a reader comes back. In milliseconds. */
const errorDelay = 1000;
/** While a pipe is full; the delay doubles from the first to the second, in milliseconds. */
const fullPipeDelays = [10, 160] as const;

/**
 * Writes lines to a file descriptor without blocking the event loop, and with a bound on what waits.
 *
 * @param descriptor A non-blocking one: a thread of Node's pool that is blocked in a write would keep even
 * `process.exit` from ending the process.
 */
export function logOutput(descriptor: number, { capacity, onDropped }: LogOutputOptions): LogOutput {
  const batches: Batch[] = [];
  /** Lines that are not yet part of a batch. */
  let current = "";
  /** Called when the current lines are written. */
  let acknowledgements: (() => void)[] = [];
  /** Characters and bytes that wait, those being written included. */
  let waiting = 0;
  let dropped = 0;
  let droppedInAll = 0;
  let reason: string | undefined;
  let active = false;
  let delay: number = fullPipeDelays[0];
  const waiters = idleWaiters();
  /** Runs while lines wait for others, or for the next attempt. */
  let timer: NodeJS.Timeout | undefined;

  function writeNext(): void {
    if (batches.length === 0 && current !== "") seal();
    const [batch] = batches;
    active = batch !== undefined;
    if (batch === undefined) {
      waiters.tell();
      return;
    }
    write(descriptor, batch.bytes, (error, written) => {
      if (error !== null || written === 0) return pause(error?.code ?? "EAGAIN");
      delay = fullPipeDelays[0];
      waiting -= written;
      if (written === batch.bytes.length) {
        batches.shift();
        for (const acknowledge of batch.acknowledgements) acknowledge();
      } else {
        batches[0] = { ...batch, bytes: batch.bytes.subarray(written) };
      }
      if (dropped > 0 && waiting <= capacity / 2) reportDropped();
      const awaited = acknowledgements.length > 0 || waiters.size > 0;
      if (batches.length > 0 || current === "" || awaited) writeNext();
      // What came during this write would be a line or two.
      else writeLater(batchDelay);
    });
  }

  /** The timer does not keep the process alive: call `drained` before the process ends. */
  function writeLater(delay: number): void {
    active = true;
    timer = setTimeout(writeNow, delay).unref();
  }

  function writeNow(): void {
    clearTimeout(timer);
    timer = undefined;
    writeNext();
  }

  function pause(code: string): void {
    reason = code;
    const busy = code === "EAGAIN";
    writeLater(busy ? delay : errorDelay);
    if (busy) delay = Math.min(delay * 2, fullPipeDelays[1]);
  }

  /** One buffer in place of many short strings: they would take several times their length. */
  function seal(): void {
    const bytes = Buffer.from(current);
    waiting += bytes.length - current.length;
    batches.push({ bytes, acknowledgements });
    current = "";
    acknowledgements = [];
  }

  function reportDropped(): void {
    const lines = dropped;
    dropped = 0;
    onDropped({ lines, reason });
  }

  /** @returns whether it was not dropped. */
  function take(lines: string, acknowledge?: () => void): boolean {
    // Once a line is dropped, so is every further one until the gap is reported: lines never change their order.
    if (dropped > 0 || waiting + lines.length > capacity) {
      const count = countLines(lines);
      dropped += count;
      droppedInAll += count;
      // A line that never fits, with nothing before it.
      if (!active) reportDropped();
      return false;
    }
    waiting += lines.length;
    current += lines;
    if (acknowledge !== undefined) acknowledgements.push(acknowledge);
    if (current.length >= batchSize) seal();
    if (!active) writeLater(batchDelay);
    return true;
  }

  return {
    get dropped() {
      return droppedInAll;
    },
    write(lines) {
      take(lines);
    },
    writeAcknowledged(line) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      if (!take(line, resolve)) reject(new Error(reason ?? "EAGAIN"));
      else if (timer !== undefined && reason === undefined) writeNow();
      return promise;
    },
    drained(timeLimit) {
      if (!active) return Promise.resolve();
      const drained = waiters.wait(timeLimit);
      if (timer !== undefined) writeNow();
      return drained;
    },
  };
}

function countLines(lines: string): number {
  let count = 0;
  for (let end = lines.indexOf("\n"); end >= 0; end = lines.indexOf("\n", end + 1)) count++;
  return count;
}
