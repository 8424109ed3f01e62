import { readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { performance } from "node:perf_hooks";
import type { MetricStore } from "./metric-store.ts";
import * as metrics from "./metrics.ts";

/** How often the delay of the event loop is sampled, in milliseconds. */
const sampleInterval = 500;

/**
 * Measures the process itself.
 *
 * @param version Of registry-gate.
 * @returns a function that ends that.
 */
export function recordProcess(store: MetricStore, version: string): () => void {
  store.value(metrics.build, version, process.version).value = 1;
  store.value(metrics.startTime).value = (Date.now() - process.uptime() * 1000) / 1000;
  const user = store.value(metrics.cpu, "user");
  const system = store.value(metrics.cpu, "system");
  const memory = store.value(metrics.memory);
  const heap = store.value(metrics.heap);
  const busy = store.value(metrics.eventLoopBusy);
  const delay = store.distribution(metrics.eventLoopDelay);
  const most = maxFiles();
  if (most !== undefined) store.value(metrics.maxFiles).value = most;

  let due = performance.now() + sampleInterval;
  const timer = setInterval(() => {
    const now = performance.now();
    delay.observe(Math.max(0, now - due) / 1000);
    due = now + sampleInterval;
    // Reading a directory takes a while: what is shown is from the last half second.
    void countFiles();
  }, sampleInterval).unref();

  async function countFiles(): Promise<void> {
    const files = await readdir("/proc/self/fd").catch(() => undefined);
    // The directory itself is open while it is read.
    if (files !== undefined) store.value(metrics.openFiles).value = files.length - 1;
  }
  void countFiles();

  store.onSnapshot(() => {
    const cpu = process.cpuUsage();
    [user.value, system.value] = [cpu.user / 1e6, cpu.system / 1e6];
    const { rss, heapUsed } = process.memoryUsage();
    [memory.value, heap.value] = [rss, heapUsed];
    busy.value = performance.eventLoopUtilization().active / 1000;
  });
  return () => clearInterval(timer);
}

/** Undefined where the system does not say, as anywhere but on Linux. */
function maxFiles(): number | undefined {
  try {
    const [, soft] = /^Max open files +(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}
