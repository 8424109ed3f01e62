import type { RequestRecord } from "@registry-gate/core";
import type { RequestAudit } from "../audit/observe-requests.ts";
import { kindOf, requestEvent } from "../audit/request-event.ts";
import { actionsOf, type EventsConfiguration } from "../config/sections/events.ts";
import type { EventSink } from "./event-sink.ts";
import { notifiedAction } from "./notification.ts";

/**
 * What tells a sink about the requests of a gate: of a write before the client learns that it was accepted. Of what no
 * endpoint is notified of, such as most pulls, no event is made.
 */
export function notifyOfRequests(endpoints: EventsConfiguration, sink: EventSink): RequestAudit {
  const wanted = new Set(endpoints.flatMap(actionsOf));

  function tell(record: RequestRecord): Promise<void> | undefined {
    const kind = kindOf(record);
    if (kind === undefined) return undefined;
    const { operation, status, method } = record;
    const action = notifiedAction({ event: kind, status, method, ...(operation !== undefined && { operation }) });
    if (action === undefined || !wanted.has(action)) return undefined;
    const event = requestEvent(record);
    return event === undefined ? undefined : sink.accept(event);
  }

  return {
    onFinished(record) {
      // A write that the registry has responded to was told then.
      if (!record.announced) void tell(record);
    },
    writes: { refusal: () => undefined, responded: tell },
  };
}
