import type { Logger } from "@registry-gate/auth";
import { firstTime } from "@registry-gate/auth-kit";
import type { SkippedValue } from "./groups/skipped-values.ts";

/** @param requestId Of the login by which they were found, if any. */
export type ReportSkipped = (username: string, skipped: readonly SkippedValue[], requestId?: string) => void;

/** Logs the skipped values of a user's groups, once for each user, attribute and reason. */
export function skippedValueReporter(backend: string, log: Logger): ReportSkipped {
  const isNew = firstTime();
  return (username, skipped, requestId) => {
    for (const { attribute, reason, count } of skipped) {
      if (!isNew(username, attribute, reason)) continue;
      log.warn(
        { requestId, backend, username, attribute, values: count },
        describeSkippedValue({ attribute, reason, count }),
      );
    }
  };
}

export function describeSkippedValue({ attribute, reason, count }: SkippedValue): string {
  const [values, each] = count === 1 ? ["value", "it"] : ["values", "each"];
  return `skipped ${count} ${values} of ${attribute}: ${each} ${reason}`;
}
