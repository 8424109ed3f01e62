import type { ContentChange } from "@registry-gate/core";
import { z } from "zod";
import type { Snapshot } from "../admin/metrics/snapshot.ts";
import type { Readiness } from "../admin/readiness/readiness.ts";
import type { AuditEvent } from "../audit/audit-event.ts";
import { nothing, type Topic, topic } from "./topic.ts";

/** What workers have with the services that stand in the primary. */

/** Both ends are the same program: only what it is of is judged. */
const auditEvent: z.ZodType<AuditEvent> = z.custom<AuditEvent>(
  (value) => z.object({ id: z.string(), time: z.string(), event: z.string() }).safeParse(value).success,
);

/** Resolves when the system has the event. */
export const auditWrite: Topic<AuditEvent, null> = topic("audit/write", auditEvent, nothing);
/** Why the audit cannot be written at the moment; null where it can. */
export const auditFailing: Topic<string | null, null> = topic("audit/failing", z.string().nullable(), nothing);
/** Resolves when the notifications of an event are on disk. */
export const notify: Topic<AuditEvent, null> = topic("events/accept", auditEvent, nothing);

/** Refuses writes, or admits them; replies how many are in flight. */
export const setReadOnly: Topic<boolean, number> = topic("maintenance/read-only", z.boolean(), z.int());
/** Resolves when no admitted write is in flight. */
export const writesEnded: Topic<null, null> = topic("maintenance/writes-ended", nothing, nothing);

const contentChange: z.ZodType<ContentChange> = z.object({
  repository: z.string(),
  names: z.array(z.string()).optional(),
  unsettled: z.boolean().optional(),
});

/** Resolves when the other workers have forgotten the content that a write has changed. */
export const contentChanged: Topic<ContentChange, null> = topic("content/changed", contentChange, nothing);
/** Forgets content. */
export const dropContent: Topic<ContentChange, null> = topic("content/drop", contentChange, nothing);

const labels = z.array(z.string());
const snapshot: z.ZodType<Snapshot> = z.object({
  started: z.number(),
  metrics: z.record(
    z.string(),
    z.array(
      z.union([
        z.strictObject({ labels, value: z.number() }),
        z.strictObject({ labels, count: z.number(), sum: z.number(), buckets: z.array(z.number()) }),
      ]),
    ),
  ),
});

/** Begins to measure. */
export const measure: Topic<null, null> = topic("metrics/measure", nothing, nothing);
export const measured: Topic<null, Snapshot> = topic("metrics/measured", nothing, snapshot);
/** What a worker tells now and then, so that little is lost when it is killed, and at its end. */
export const measuredSoFar: Topic<Snapshot, null> = topic("metrics/so-far", snapshot, nothing);

const readiness: z.ZodType<Readiness> = z.object({
  ready: z.boolean(),
  parts: z.array(
    z.object({
      part: z.string(),
      status: z.enum(["ok", "warning", "failed"]),
      required: z.boolean(),
      reason: z.string().exactOptional(),
      age: z.number(),
    }),
  ),
});
export const readinessOf: Topic<null, Readiness> = topic("readiness", nothing, readiness);
