import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { InvalidOptionsError, type Logger } from "@registry-gate/auth";
import { chooseProxy } from "@registry-gate/auth-kit";
import { type DurableQueue, openQueue } from "@registry-gate/state";
import type { AuditEvent } from "../audit/audit-event.ts";
import type { ListenAddress } from "../config/address.ts";
import type { LoadedConfiguration } from "../config/load.ts";
import { actionsOf, type NotifiedAction } from "../config/sections/events.ts";
import { type EventDelivery, eventDelivery } from "../observe/events.ts";
import { type Delivery, startDelivery } from "./delivery.ts";
import type { EventSink } from "./event-sink.ts";
import { envelopeOf, notificationsOf, notifiedAction } from "./notification.ts";
import { atQueueFile, type EndpointFiles, openEndpoints } from "./open-endpoint.ts";

/** Endpoints that have been opened, and are not in force yet. */
export interface PreparedEndpoints {
  /** Puts them in the place of the former ones. What waits for those that stay goes on to wait. */
  commit(): Promise<void>;
  discard(): void;
}

/** Sends notifications to the endpoints of the configuration in force. */
export interface Notifier extends EventSink {
  /**
   * Opens everything that endpoints need.
   *
   * @throws {InvalidOptionsError} with every fault; then nothing stays open.
   */
  prepare(loaded: LoadedConfiguration): Promise<PreparedEndpoints>;
  /** Sends no more. What has not been delivered waits for the next start. */
  close(): Promise<void>;
  /** How many notifications wait for the endpoints, as last found out; somebody has to have subscribed to deliveries. */
  readonly waiting: number;
}

interface Target {
  readonly lane: string;
  readonly host: string;
  readonly on: ReadonlySet<NotifiedAction>;
  readonly mostQueued: number;
  readonly queue: DurableQueue;
  readonly delivery: Delivery;
  readonly length: KnownLength;
}

interface OpenQueue {
  readonly queue: DurableQueue;
  readonly file: string;
}

/** What waits for endpoints that are not configured any more is kept for a week, in case they come back. */
const abandonedFor = 7 * 24 * 60 * 60_000;
/** How often the log says that notifications are dropped, in milliseconds. */
const reportInterval = 30_000;

export function openNotifier(log: Logger): Notifier {
  let source = { addr: hostname(), instanceID: randomUUID() };
  let targets: readonly Target[] = [];
  let opened: readonly EndpointFiles[] = [];
  let queues: readonly OpenQueue[] = [];
  const report = droppedReports(log);

  function publish(
    target: Target,
    outcome: EventDelivery["outcome"],
    count: number,
    waiting: number | undefined,
  ): void {
    const { host: endpoint } = target;
    eventDelivery.publish(() => ({ endpoint, outcome, count, waiting, status: undefined, milliseconds: undefined }));
  }

  async function enqueue(target: Target, envelope: string): Promise<void> {
    try {
      const { length, dropped } = await target.queue.push(target.lane, envelope, target.mostQueued);
      target.length.current = length;
      publish(target, "queued", 1, length);
      if (dropped > 0) {
        publish(target, "dropped", dropped, length);
        report(target.host, dropped, "too many wait");
      }
      // After a reload it is another one who sends what waits.
      for (const { lane, delivery } of [target, ...targets]) if (lane === target.lane) delivery.wake();
    } catch (error) {
      const successor = targets.find(({ lane }) => lane === target.lane);
      // A reload has closed the queue while another process had locked it.
      if (successor !== undefined && successor !== target) return enqueue(successor, envelope);
      publish(target, "lost", 1, undefined);
      report(target.host, 1, error instanceof Error ? error.message : "unknown error");
    }
  }

  async function stop(): Promise<void> {
    const [stopping, following, closing] = [targets, opened, queues];
    targets = [];
    opened = [];
    queues = [];
    await Promise.all(stopping.map(({ delivery }) => delivery.close()));
    for (const { secret } of following) secret.close();
    for (const { queue } of closing) queue.close();
  }

  function start(endpoints: readonly EndpointFiles[], files: readonly OpenQueue[]): readonly Target[] {
    return endpoints.flatMap(({ configuration, queueFile, ca, secret }) => {
      const queue = files.find(({ file }) => file === queueFile)?.queue;
      if (queue === undefined) return [];
      const url = new URL(configuration.url);
      const lane = url.href;
      const { timeout = 10_000, maxQueued: mostQueued = 10_000 } = configuration;
      const length = knownLength(queue, lane);
      const { measure: waiting } = length;
      const endpoint = { url, lane, ca, timeout, secret: secret.current, waiting, proxyFor: chooseProxy(undefined) };
      const delivery = startDelivery(endpoint, queue, log);
      return [{ lane, host: url.host, on: new Set(actionsOf(configuration)), mostQueued, queue, delivery, length }];
    });
  }

  async function accept(event: AuditEvent): Promise<void> {
    const action = notifiedAction(event);
    const wanting = (): readonly Target[] => targets.filter(({ on }) => action !== undefined && on.has(action));
    if (wanting().length === 0) return;
    for (const notification of notificationsOf(event, source)) {
      const envelope = envelopeOf(notification);
      // Those of now: a reload may come between two of them.
      await Promise.all(wanting().map((target) => enqueue(target, envelope)));
    }
  }

  return {
    accept,
    async prepare({ configuration: { events = [], listen }, directory }) {
      const files = await openEndpoints(events, { directory, log });
      const release = (): void => {
        for (const { secret } of files) secret.close();
      };
      let next: readonly OpenQueue[];
      try {
        next = await openQueues(files, log);
      } catch (error) {
        release();
        throw error;
      }
      return {
        async commit() {
          // The new ones first: no event may find nobody to take it.
          const former = { targets, opened, queues };
          targets = start(files, next);
          opened = files;
          queues = next;
          source = { ...source, addr: addressOf(listen.address) };
          await Promise.all(former.targets.map(({ delivery }) => delivery.close()));
          for (const { secret } of former.opened) secret.close();
          for (const { queue } of former.queues) queue.close();
          await forgetAbandoned(targets, log);
        },
        discard() {
          release();
          for (const { queue } of next) queue.close();
        },
      };
    },
    close: stop,
    get waiting() {
      return targets.reduce((sum, { length }) => sum + length.current, 0);
    },
  };
}

/** The length of a lane, as last found out. */
interface KnownLength {
  current: number;
  /** @returns undefined where the queue cannot be read. */
  measure(): Promise<number | undefined>;
}

function knownLength(queue: DurableQueue, lane: string): KnownLength {
  const known: KnownLength = {
    current: 0,
    async measure() {
      try {
        known.current = await queue.length(lane);
        return known.current;
      } catch {
        return undefined;
      }
    },
  };
  // What waits since an earlier start is not heard of otherwise, until the first attempt has ended.
  void known.measure();
  return known;
}

/** As the registry names itself: its host, and the port that it is configured with. */
function addressOf(address: ListenAddress): string {
  return "port" in address ? `${hostname()}:${address.port}` : hostname();
}

async function openQueues(endpoints: readonly EndpointFiles[], log: Logger): Promise<readonly OpenQueue[]> {
  const opened: OpenQueue[] = [];
  for (const [index, { queueFile: file }] of endpoints.entries()) {
    if (opened.some((other) => other.file === file)) continue;
    try {
      opened.push({ file, queue: await openQueue({ file, log }) });
    } catch (error) {
      for (const { queue } of opened) queue.close();
      throw new InvalidOptionsError(atQueueFile(error, index));
    }
  }
  return opened;
}

async function forgetAbandoned(targets: readonly Target[], log: Logger): Promise<void> {
  for (const queue of new Set(targets.map((target) => target.queue))) {
    const lanes = targets.filter((target) => target.queue === queue).map(({ lane }) => lane);
    try {
      const count = await queue.dropAbandoned(lanes, abandonedFor);
      const fields = { event: "notifications dropped", count };
      if (count > 0) log.warn(fields, "notifications for endpoints that are not configured any more were dropped");
    } catch (error) {
      log.warn({ err: error }, "the queue of notifications cannot be used");
    }
  }
}

/** Makes a function that logs what was dropped: at once, and then what there was since, at most every half a minute. */
function droppedReports(log: Logger): (endpoint: string, count: number, reason: string) => void {
  const counts = new Map<string, number>();
  let reportedAt = Number.NEGATIVE_INFINITY;
  return (endpoint, count, reason) => {
    counts.set(endpoint, (counts.get(endpoint) ?? 0) + count);
    const now = performance.now();
    if (now - reportedAt < reportInterval) return;
    reportedAt = now;
    for (const [host, dropped] of counts) {
      log.error(
        { event: "notifications dropped", endpoint: host, count: dropped, reason },
        "notifications were dropped",
      );
    }
    counts.clear();
  };
}
