import type { ActivityLog } from "../../activity/activity-record.ts";

/** A bar of the chart. */
export interface Week {
  /** Its Monday, in UTC, such as `2026-11-23`. */
  readonly monday: string;
  readonly pushes: number;
  readonly pulls: number;
}

const day = 86_400_000;

/** The last eight weeks, the oldest first, those without activity too. */
export function weeksOf({ days }: ActivityLog, now: number): readonly Week[] {
  const thisMonday = mondayOf(now);
  const weeks = Array.from({ length: 8 }, (_, index) => ({
    monday: thisMonday - (7 - index) * 7 * day,
    pushes: 0,
    pulls: 0,
  }));
  for (const [date, [pushes, pulls]] of Object.entries(days)) {
    const week = weeks.find(({ monday }) => monday === mondayOf(Date.parse(date)));
    if (week === undefined) continue;
    week.pushes += pushes;
    week.pulls += pulls;
  }
  return weeks.map(({ monday, ...counts }) => ({ monday: new Date(monday).toISOString().slice(0, 10), ...counts }));
}

function mondayOf(time: number): number {
  const midnight = Math.floor(time / day) * day;
  // The epoch began on a Thursday.
  return midnight - ((midnight / day + 3) % 7) * day;
}
