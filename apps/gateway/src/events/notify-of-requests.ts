import type { RequestRecord } from "@registry-gate/core";
import type { RequestAudit } from "../audit/observe-requests.ts";
import { requestEvent } from "../audit/request-event.ts";
import type { EventSink } from "./event-sink.ts";

/** What tells a sink about the requests of a gate: of a write before the client learns that it was accepted. */
export function notifyOfRequests(sink: EventSink): RequestAudit {
  const tell = (record: RequestRecord): Promise<void> | undefined => {
    const event = requestEvent(record);
    return event === undefined ? undefined : sink.accept(event);
  };
  return {
    onFinished(record) {
      // A write that the registry has responded to was told then.
      if (!record.announced) void tell(record);
    },
    writes: { refusal: () => undefined, responded: tell },
  };
}
