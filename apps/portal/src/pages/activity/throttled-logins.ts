import type { ActivityLog } from "../../activity/activity-record.ts";

/** Somebody who was kept out lately, because too many logins had failed. */
export interface ThrottledLogin {
  readonly address: string | undefined;
  readonly username: string | undefined;
  /** The last time, in milliseconds since the epoch. */
  readonly time: number;
  readonly count: number;
}

/** As long as anybody is kept out after a failure, by default. */
const window = 15 * 60_000;

/** Who was kept out within the last quarter of an hour, each once, the latest first. */
export function throttledLogins({ events }: ActivityLog, now: number): readonly ThrottledLogin[] {
  const found = new Map<string, ThrottledLogin>();
  for (const { kind, time, address, username } of events) {
    if (kind !== "throttled" || now - time > window) continue;
    const key = JSON.stringify([address, username]);
    const { time: latest = time, count = 0 } = found.get(key) ?? {};
    found.set(key, { address, username, time: Math.max(latest, time), count: count + 1 });
  }
  return [...found.values()];
}
