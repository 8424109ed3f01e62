import type { ReadOnlySwitch } from "@registry-gate/core";
import { allMetrics } from "../admin/metrics/all-metrics.ts";
import { combineSnapshots, lastingPart, type Snapshot } from "../admin/metrics/snapshot.ts";
import { judgeReadiness, type PartState, type Readiness } from "../admin/readiness/readiness.ts";
import type { AuditSink } from "../audit/audit-sink.ts";
import type { EventSink } from "../events/event-sink.ts";
import { auditFailure } from "../observe/audit-failure.ts";
import type { Channel } from "./channel.ts";
import {
  auditFailing,
  auditWrite,
  contentChanged,
  dropContent,
  measure,
  measured,
  measuredSoFar,
  notify,
  readinessOf,
  setReadOnly,
  writesEnded,
} from "./service-topics.ts";

/** What the primary does for its workers, and learns from them. */
export interface WorkerServices {
  /** Serves a worker from its first message on. */
  attend(channel: Channel): void;
  /** Of all workers. */
  readonly readOnly: ReadOnlySwitch;
  /** Has all workers measure, those that start later too. */
  measure(): void;
  snapshots(): Promise<readonly Snapshot[]>;
  /**
   * @param own What the primary has found itself.
   * @param wanted How many workers there should be.
   */
  readiness(own: Readiness, wanted: number): Promise<Readiness>;
  close(): void;
}

/** Who asks for metrics or readiness waits about a second, in milliseconds. */
const askLimit = 800;
/** A client that has pushed waits for it, in milliseconds. A worker that takes longer is replaced soon. */
const dropLimit = 2000;
/** Uploads last for hours, in milliseconds. */
const longestWrite = 7 * 86_400_000;

export function workerServices(
  sinks: () => { readonly audit: AuditSink; readonly notifier: EventSink },
): WorkerServices {
  const channels = new Set<Channel>();
  const latest = new Map<Channel, Snapshot>();
  let departed: Snapshot | undefined;
  let measuring = false;
  let on = false;
  /** As each worker has said last. */
  const inFlight = new Map<Channel, number>();
  const subscription = auditFailure.subscribe(() => {
    // Of the audit in use: the message may be of one that was replaced while it failed, or of events that were lost alone.
    const failure = sinks().audit.failure ?? null;
    for (const channel of channels) channel.tell(auditFailing, failure);
  });

  async function askReadOnly(channel: Channel): Promise<void> {
    const writes = await channel.ask(setReadOnly, on).catch(() => 0);
    if (!channel.closed) inFlight.set(channel, writes);
  }

  function depart(channel: Channel): void {
    channels.delete(channel);
    inFlight.delete(channel);
    const last = latest.get(channel);
    latest.delete(channel);
    if (last === undefined) return;
    const lasting = lastingPart(last, allMetrics);
    departed = departed === undefined ? lasting : combineSnapshots([departed, lasting], allMetrics);
  }

  return {
    attend(channel) {
      channels.add(channel);
      channel.onClose(() => depart(channel));
      channel.reply(auditWrite, async (event) => {
        await sinks().audit.write(event);
        return null;
      });
      channel.reply(notify, async (event) => {
        await sinks().notifier.accept(event);
        return null;
      });
      channel.reply(contentChanged, async (change) => {
        const others = [...channels].filter((other) => other !== channel);
        await Promise.all(others.map((other) => other.ask(dropContent, change, dropLimit).catch(() => {})));
        return null;
      });
      channel.reply(measuredSoFar, (snapshot) => {
        latest.set(channel, snapshot);
        return null;
      });
      const failure = sinks().audit.failure;
      if (failure !== undefined) channel.tell(auditFailing, failure);
      if (on) void askReadOnly(channel);
      if (measuring) channel.tell(measure, null);
    },
    readOnly: {
      get on() {
        return on;
      },
      get writesInFlight() {
        return [...inFlight.values()].reduce((sum, writes) => sum + writes, 0);
      },
      set(value) {
        on = value;
        for (const channel of channels) void askReadOnly(channel);
      },
      async writesEnded() {
        await Promise.all([...channels].map((channel) => channel.ask(writesEnded, null, longestWrite).catch(() => {})));
        inFlight.clear();
      },
      admit() {
        throw new TypeError("the primary handles no request");
      },
    },
    measure() {
      measuring = true;
      for (const channel of channels) channel.tell(measure, null);
    },
    async snapshots() {
      await Promise.all(
        [...channels].map(async (channel) => {
          const snapshot = await channel.ask(measured, null, askLimit).catch(() => undefined);
          if (snapshot !== undefined && channels.has(channel)) latest.set(channel, snapshot);
        }),
      );
      return [...latest.values(), ...(departed === undefined ? [] : [departed])];
    },
    async readiness(own, wanted) {
      const found = await Promise.all(
        [...channels].map((channel) => channel.ask(readinessOf, null, askLimit).catch(() => undefined)),
      );
      const replies = found.filter((each) => each !== undefined);
      const parts = new Map(own.parts.map((part) => [part.part, part]));
      for (const part of replies.flatMap((each) => each.parts)) {
        // These are the primary's to know.
        if (["gate", "certificate", "reload", "registry"].includes(part.part)) continue;
        parts.set(part.part, worse(parts.get(part.part), part));
      }
      parts.set("workers", workersPart(replies.length, wanted));
      return judgeReadiness([...parts.values()]);
    },
    close: () => subscription(),
  };
}

function workersPart(running: number, wanted: number): PartState {
  const common = { part: "workers", required: true, age: 0 } as const;
  if (running >= wanted) return { ...common, status: "ok" };
  return { ...common, status: running === 0 ? "failed" : "warning", reason: `${running} of ${wanted} respond` };
}

function worse(one: PartState | undefined, other: PartState): PartState {
  const order = ["ok", "warning", "failed"];
  return one !== undefined && order.indexOf(one.status) >= order.indexOf(other.status) ? one : other;
}
