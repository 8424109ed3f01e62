import { type Logger, timerDelay } from "@registry-gate/auth";
import type { DurableQueue, Queued } from "@registry-gate/state";
import { type EventDelivery, eventDelivery } from "../observe/events.ts";
import { pauseAfter } from "./back-off.ts";
import { envelopeType } from "./notification.ts";
import { type PostOptions, type PostResponse, post } from "./post.ts";
import { signatureHeader, signatureOf } from "./sign.ts";

/** An endpoint whose notifications wait in a lane of a queue. */
export interface Endpoint extends Omit<PostOptions, "signal"> {
  readonly url: URL;
  readonly lane: string;
  /** The secret of now. */
  readonly secret: () => string;
}

/** Sends what waits for one endpoint, one notification after the other. */
export interface Delivery {
  /** Something was put into the queue. */
  wake(): void;
  /** Ends the attempt under way. What has not been acknowledged stays in the queue. */
  close(): Promise<void>;
}

/** What is wrong with a notification does not get better by itself: others wait behind it. */
const mostRefusals = 5;
/** How often the log says that an endpoint still fails, in milliseconds. */
const reportInterval = 60_000;
/** When a queue that could not be read is read again, in milliseconds. */
const queuePause = 5000;

export function startDelivery(endpoint: Endpoint, queue: DurableQueue, log: Logger): Delivery {
  const { url, lane } = endpoint;
  const { host } = url;
  const closing = new AbortController();
  let wakeUp = (): void => {};
  let failures = 0;
  let refusals = 0;
  let reportedAt = Number.NEGATIVE_INFINITY;

  const publish = async (outcome: EventDelivery["outcome"], status?: number, milliseconds?: number): Promise<void> => {
    if (!eventDelivery.hasSubscribers) return;
    const waiting = await queue.length(lane).catch(() => undefined);
    eventDelivery.publish(() => ({ endpoint: host, outcome, count: 1, waiting, status, milliseconds }));
  };

  function pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(end, timerDelay(milliseconds)).unref();
      function end(): void {
        clearTimeout(timer);
        closing.signal.removeEventListener("abort", end);
        resolve();
      }
      closing.signal.addEventListener("abort", end);
      if (closing.signal.aborted) end();
    });
  }

  /** @returns how long to wait before the next attempt. */
  async function failed(reason: string, response: PostResponse | undefined, milliseconds: number): Promise<number> {
    failures++;
    const now = performance.now();
    if (now - reportedAt >= reportInterval) {
      reportedAt = now;
      const waiting = await queue.length(lane).catch(() => undefined);
      log.warn(
        { event: "notification failed", endpoint: host, reason, waiting },
        "a notification could not be delivered; trying again",
      );
    }
    await publish("failed", response?.status, milliseconds);
    return pauseAfter(failures, response?.retryAfter);
  }

  async function done(item: Queued): Promise<void> {
    await queue.remove(lane, item);
    refusals = 0;
  }

  /** @returns how long to wait before the next attempt. */
  async function attempt(item: Queued): Promise<number> {
    const began = performance.now();
    const duration = (): number => performance.now() - began;
    let response: PostResponse;
    try {
      const headers = {
        "Content-Type": envelopeType,
        "User-Agent": "registry-gate",
        [signatureHeader]: signatureOf(item.value, endpoint.secret()),
      };
      response = await post(url, headers, item.value, { ...endpoint, signal: closing.signal });
    } catch (error) {
      if (closing.signal.aborted) return 0;
      return failed(error instanceof Error ? error.message : "unknown error", undefined, duration());
    }
    const { status } = response;
    if (status >= 200 && status <= 299) {
      await done(item);
      if (failures > 0)
        log.info({ event: "notification delivered", endpoint: host }, "notifications can be delivered again");
      failures = 0;
      reportedAt = Number.NEGATIVE_INFINITY;
      await publish("delivered", status, duration());
      return 0;
    }
    if (isRefusal(status) && ++refusals >= mostRefusals) {
      await done(item);
      failures = 0;
      log.error(
        { event: "notification given up", endpoint: host, status, id: idOf(item) },
        "a notification was refused, and is given up",
      );
      await publish("given-up", status, duration());
      return 0;
    }
    return failed(`status ${status}`, response, duration());
  }

  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      const woken = new Promise<void>((resolve) => {
        wakeUp = resolve;
      });
      try {
        const item = await queue.first(lane);
        if (closing.signal.aborted) return;
        if (item === undefined) await woken;
        else await pause(await attempt(item));
      } catch (error) {
        if (closing.signal.aborted) return;
        log.error(
          { event: "notification failed", endpoint: host, err: error },
          "the queue of notifications cannot be used",
        );
        await pause(queuePause);
      }
    }
  }

  const running = run();
  return {
    wake: () => wakeUp(),
    async close() {
      closing.abort();
      wakeUp();
      await running;
    },
  };
}

/** A redirect is not followed: it leads where nobody has configured to go. */
function isRefusal(status: number): boolean {
  return status >= 300 && status <= 499 && status !== 408 && status !== 429;
}

function idOf({ value }: Queued): unknown {
  const envelope: { readonly events?: readonly { readonly id?: unknown }[] } = JSON.parse(value);
  return envelope.events?.[0]?.id;
}
