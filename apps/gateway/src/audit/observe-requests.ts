import type { RequestRecord, WriteObserver } from "@registry-gate/core";
import { type AuditConfiguration, recordedEvents } from "../config/sections/audit.ts";
import type { AuditEvent } from "./audit-event.ts";
import type { AuditSink } from "./audit-sink.ts";
import { kindOf, requestEvent } from "./request-event.ts";

/** What a gate does for the audit: each request that is an event is recorded once. */
export interface RequestAudit {
  /** Called for each finished request. */
  readonly onFinished: (record: RequestRecord) => void;
  /** Has the response to a push or a delete wait until its event is written. */
  readonly writes: WriteObserver;
}

export function observeRequests(configuration: AuditConfiguration, sink: AuditSink): RequestAudit {
  const recorded = recordedEvents(configuration);
  const blocks = configuration.onFailure === "block";

  /** @returns `undefined` where it is no event that is recorded. */
  function write(record: RequestRecord): Promise<void> | undefined {
    const kind = kindOf(record);
    if (kind === undefined || !recorded.has(kind)) return undefined;
    const event = requestEvent(record);
    return event === undefined ? undefined : sink.write(event);
  }

  return {
    onFinished(record) {
      // The sink counts and reports its failures.
      if (!record.announced) write(record)?.catch(() => {});
    },
    writes: {
      refusal: () =>
        (blocks || sink.ended === true) && sink.failure !== undefined
          ? `the audit cannot be written: ${sink.failure}`
          : undefined,
      responded(record) {
        const written = write(record);
        if (blocks) return written;
        return written?.catch((error: unknown) => {
          if (sink.ended === true) throw error;
        });
      },
    },
  };
}

/** What records events that are no requests to the registry, where the configuration asks for their kind. */
export function eventRecorder(configuration: AuditConfiguration, sink: AuditSink): (event: AuditEvent) => void {
  const recorded = recordedEvents(configuration);
  return (event) => {
    // The sink counts and reports its failures.
    if (recorded.has(event.event)) void sink.write(event).catch(() => {});
  };
}
