import type { Logger } from "@registry-gate/auth";
import { firstTime } from "@registry-gate/auth-kit";
import type { Oddity } from "./groups/odd-values.ts";

/** Logs what was passed over of a user's groups, once for each user, attribute and reason. */
export function oddityReporter(backend: string, log: Logger): (username: string, oddities: readonly Oddity[]) => void {
  const isNew = firstTime();
  return (username, oddities) => {
    for (const { attribute, reason, count } of oddities) {
      if (!isNew(username, attribute, reason)) continue;
      log.warn({ backend, username, attribute, values: count }, describeOddity({ attribute, reason, count }));
    }
  };
}

export function describeOddity({ attribute, reason, count }: Oddity): string {
  const [values, each] = count === 1 ? ["value", "it"] : ["values", "each of them"];
  return `${count} ${values} of ${attribute} passed over: ${each} ${reason}`;
}
