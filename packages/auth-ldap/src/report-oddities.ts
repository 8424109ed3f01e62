import type { Logger } from "@registry-gate/auth";
import type { Oddity } from "./groups/odd-values.ts";

/** How many users and oddities are remembered, so that a directory cannot fill the memory. */
const most = 1000;

/** Logs what was passed over of a user's groups, once for each user, attribute and reason. */
export function oddityReporter(backend: string, log: Logger): (username: string, oddities: readonly Oddity[]) => void {
  const said = new Set<string>();
  return (username, oddities) => {
    for (const { attribute, reason, count } of oddities) {
      const key = JSON.stringify([username, attribute, reason]);
      if (said.has(key)) continue;
      if (said.size >= most) said.clear();
      said.add(key);
      log.warn({ backend, username, attribute, values: count }, describeOddity({ attribute, reason, count }));
    }
  };
}

export function describeOddity({ attribute, reason, count }: Oddity): string {
  return `${count} ${count === 1 ? "value" : "values"} of ${attribute} passed over: they ${reason}`;
}
