import type { LogOutput } from "../log/log-output.ts";
import { AppendError, failureReason, type LineDestination } from "./line-destination.ts";

/** The standard output, between the lines of the log: those of the log have a `level`, those of the audit an `id`. */
export function standardOutput({ writeAcknowledged }: Pick<LogOutput, "writeAcknowledged">): LineDestination {
  return {
    async append(lines) {
      // Once one is dropped, so are those that follow it.
      const results = await Promise.allSettled(lines.map(({ text }) => writeAcknowledged(text)));
      const taken = results.findIndex(({ status }) => status === "rejected");
      const failed = results[taken];
      if (failed?.status === "rejected") throw new AppendError(failureReason(failed.reason), taken);
    },
    sync: () => Promise.resolve(),
    reopen() {},
    close: () => Promise.resolve(),
  };
}
