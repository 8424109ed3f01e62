import type { RequestRecord, WriteObserver } from "@registry-gate/core";
import { requestEvent } from "../audit/request-event.ts";
import type { EventSink } from "./event-sink.ts";

/** What tells a sink about the requests of a gate; in the process of the gate. */
export interface RequestObserver {
  readonly onRequest: (record: RequestRecord) => void;
  /** A write is in the queue before the client learns that it was accepted. */
  readonly writes: WriteObserver;
}

export function observeRequests(sink: EventSink): RequestObserver {
  const tell = (record: RequestRecord): Promise<void> | undefined => {
    const event = requestEvent(record);
    return event === undefined ? undefined : sink.accept(event);
  };
  return {
    onRequest(record) {
      // A write that the registry has responded to was told then.
      if (!record.announced) void tell(record);
    },
    writes: { refusal: () => undefined, responded: tell },
  };
}
