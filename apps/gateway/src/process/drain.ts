import { endsWithin } from "../ends-within.ts";
import type { GatewayLog } from "../log/log.ts";

/** How a gateway shuts down. */
export interface Ending {
  /** Accepts nothing more, and resolves when every request has finished and everything is closed. */
  readonly finish: () => Promise<void>;
  /** Cuts every connection. */
  readonly cut: () => void;
}

/**
 * How long cut connections and backends, and then what reads the log, may take to come to their end, in milliseconds: a
 * tenth of the time limit each, between these.
 */
const lastMoments = { least: 200, most: 1000 };

/**
 * Waits for requests to finish, closes those that do not finish in time, and waits until the log is written.
 *
 * @param timeLimit By when it resolves, in milliseconds, whatever others do; 400 ms for the end itself are always taken.
 */
export async function drain(
  log: Pick<GatewayLog, "logger" | "drained">,
  timeLimit: number,
  { finish, cut }: Ending,
): Promise<void> {
  const { logger } = log;
  logger.info({ event: "stopping" }, "shutting down; waiting for requests in flight");
  // A supervisor kills what does not end in time, and with it what the log has not written yet.
  const ending = Math.min(Math.max(timeLimit / 10, lastMoments.least), lastMoments.most);
  const finished = finish().catch((error: unknown) => {
    logger.error({ event: "uncaught error", err: error }, "shutdown failed");
  });
  if (!(await endsWithin(Math.max(timeLimit - 2 * ending, 0), finished))) {
    logger.warn({ event: "cut" }, "shutdown timed out; closing the remaining connections");
    cut();
    await endsWithin(ending, finished);
  }
  await log.drained(ending);
}
