import { PerformanceObserver } from "node:perf_hooks";
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";

/**
 * At which size V8's new space stops growing, in bytes; a collection is heard of a turn later, so it may be a step more. V8 by
 * itself goes to 64 MiB under load, which saves nothing that can be measured; with 2 MiB, at which it begins, a request costs
 * half as much again, because much survives that is soon dropped. See docs/processes.md.
 */
const limit = 8 * 2 ** 20;
/** V8 makes the space small again when little happens. How often that is looked for, in milliseconds. */
const interval = 1000;

/**
 * Limits the new space of this process. `--max-semi-space-size=4` on the command line would do the same, but nothing says what
 * starts this process; and V8 takes no notice of that flag once it runs, as it does of the growth.
 */
export function limitYoungGeneration(): void {
  const collections = new PerformanceObserver(look);
  let full = false;

  function look(): void {
    const size = getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space")?.space_size ?? 0;
    if (size >= limit === full) return;
    full = size >= limit;
    // The factor by which it grows.
    setFlagsFromString(`--semi-space-growth-factor=${full ? 1 : 2}`);
    if (full) collections.disconnect();
    else collections.observe({ entryTypes: ["gc"] });
  }

  collections.observe({ entryTypes: ["gc"] });
  setInterval(look, interval).unref();
}
