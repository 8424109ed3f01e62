import { appendFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";

/*
 * Loaded into a gate before its own program: appends to a file, time and again, by how many milliseconds the event loop was
 * late at the most since the line before.
 */

const file = process.env.BENCH_DELAYS;
if (file !== undefined) {
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  setInterval(() => {
    appendFileSync(file, `${delays.max / 1e6}\n`);
    delays.reset();
  }, 100).unref();
}
