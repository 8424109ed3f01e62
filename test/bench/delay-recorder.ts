import { appendFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";

/*
 * Loaded into a gate before its own program: appends to a file, time and again, by how many milliseconds the event loop was
 * late at the most since the line before, and how many of them its thread has computed at one stretch. The former has in it
 * what other processes of the machine were given meanwhile.
 */

const file = process.env.BENCH_DELAYS;
if (file !== undefined) {
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  let before = processorTime();
  let stretch = 0;
  setInterval(() => {
    const now = processorTime();
    stretch = Math.max(stretch, now - before);
    before = now;
  }, 1).unref();
  setInterval(() => {
    appendFileSync(file, `${delays.max / 1e6} ${stretch}\n`);
    delays.reset();
    stretch = 0;
  }, 100).unref();
}

/** Of this thread, in milliseconds. */
function processorTime(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
