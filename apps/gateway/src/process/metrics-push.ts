import type { Logger } from "@registry-gate/auth";
import type { MetricsPush } from "../admin/metrics/otlp-push.ts";
import { pushSettings } from "../admin/metrics/push-settings.ts";
import type { Snapshot } from "../admin/metrics/snapshot.ts";
import { oneLine } from "../one-line.ts";
import { version } from "../version.ts";

/**
 * Pushes metrics if the environment asks for it. That it cannot is a warning: it must not keep a gate from starting.
 *
 * @returns `undefined` where nothing is pushed.
 */
export async function pushMetrics(collect: () => Promise<Snapshot>, log: Logger): Promise<MetricsPush | undefined> {
  const settings = pushSettings(process.env);
  if (settings === undefined) return undefined;
  if (typeof settings === "string") {
    log.warn({ event: "warning" }, settings);
    return undefined;
  }
  try {
    // Loaded only here, because it takes a while.
    const { startPush } = await import("../admin/metrics/otlp-push.ts");
    return startPush(settings, collect, version(), log);
  } catch (error) {
    log.warn({ event: "warning" }, `metrics are not pushed: ${oneLine(error)}`);
    return undefined;
  }
}
