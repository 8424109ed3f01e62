import {
  type ContentChange,
  type ContentChanges,
  createReadOnlySwitch,
  type ReadOnlySwitch,
} from "@registry-gate/core";
import type { GateMetrics } from "../admin/gate-metrics.ts";
import type { GateReadiness } from "../admin/readiness/gate-readiness.ts";
import { AuditFailedError, type AuditSink } from "../audit/audit-sink.ts";
import type { EventSink } from "../events/event-sink.ts";
import { auditFailure } from "../observe/audit-failure.ts";
import { oneLine } from "../one-line.ts";
import { type Channel, ChannelError } from "./channel.ts";
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

/** The services of the primary, as a worker uses them. */
export interface PrimaryServices {
  readonly auditSink: AuditSink;
  readonly eventSink: EventSink;
  readonly readOnly: ReadOnlySwitch;
  /** Of what the workers keep of the registry's content. */
  readonly contentChanges: ContentChanges;
}

/** How long the primary may take to write an event, in milliseconds; the writer has limits of its own. */
const writeLimit = 60_000;

export function servicesOfPrimary(channel: Channel): PrimaryServices {
  let failure: string | undefined;
  let lost = 0;
  /** What the primary has taken it counts itself. */
  function countLost(error: unknown): void {
    if (!(error instanceof ChannelError) || error.reason === "failed") return;
    lost++;
    auditFailure.publish(() => ({ state: "lost", reason: error.reason, waiting: 0, lost, count: 1 }));
  }
  channel.reply(auditFailing, (reason) => {
    failure = reason ?? undefined;
    return null;
  });
  const readOnly = createReadOnlySwitch();
  channel.reply(setReadOnly, (on) => {
    readOnly.set(on);
    return readOnly.writesInFlight;
  });
  channel.reply(writesEnded, async () => {
    await readOnly.writesEnded();
    return null;
  });
  return {
    readOnly,
    contentChanges: contentChangesOf(channel),
    auditSink: {
      get failure() {
        return channel.closed ? "the primary is gone" : failure;
      },
      get ended() {
        return channel.closed;
      },
      async write(event) {
        try {
          await channel.ask(auditWrite, event, writeLimit);
        } catch (error) {
          countLost(error);
          throw new AuditFailedError(oneLine(error), { cause: error });
        }
      },
    },
    eventSink: {
      async accept(event) {
        try {
          await channel.ask(notify, event, writeLimit);
        } catch (error) {
          // What the primary cannot take it counts as lost. Where it is gone, nobody does.
          if (channel.closed) throw error;
        }
      },
    },
  };
}

/** How long a response to a write waits for the other workers, in milliseconds: a little longer than the primary does. */
const changeLimit = 3000;

function contentChangesOf(channel: Channel): ContentChanges {
  const followers = new Set<(change: ContentChange) => void>();
  channel.reply(dropContent, (change) => {
    for (const follower of followers) follower(change);
    return null;
  });
  return {
    async announce(change) {
      // Where the primary is gone, this worker ends soon, and the others do.
      await channel.ask(contentChanged, change, changeLimit).catch(() => {});
    },
    follow(listener) {
      followers.add(listener);
      return () => void followers.delete(listener);
    },
  };
}

/** How often the primary is told what was measured, in milliseconds. */
const tellInterval = 5000;

/** Tells the primary what this worker measures, as soon as somebody wants to know it. */
export function tellMetrics(channel: Channel, metrics: GateMetrics): { stop(): void } {
  let timer: NodeJS.Timeout | undefined;
  const tell = (): void => channel.tell(measuredSoFar, metrics.snapshot());
  channel.reply(measure, () => {
    metrics.start();
    timer ??= setInterval(tell, tellInterval).unref();
    return null;
  });
  channel.reply(measured, () => metrics.snapshot());
  return {
    stop() {
      clearInterval(timer);
      if (timer !== undefined) tell();
      metrics.stop();
    },
  };
}

export function tellReadiness(channel: Channel, readiness: GateReadiness): void {
  channel.reply(readinessOf, () => readiness.readiness());
}
