import type { RequestContext } from "../observe/request-context.ts";
import { disclaim } from "../respond/claim.ts";
import { endResponse } from "../respond/end-response.ts";
import type { ResponseHead, ResponseSink, TransportFailure } from "./transport.ts";

export interface ClientSinkHandlers {
  /** Writes the head of the response; the body follows automatically. */
  head(head: ResponseHead): void;
  /** The response failed or is incomplete. A response that has begun is already cut. */
  failed(failure: TransportFailure): void;
  /** The client accepts more data again. */
  resume(): void;
}

/** Streams a response to the client with back-pressure. */
export function clientSink({ request, response, bytes }: RequestContext, on: ClientSinkHandlers): ResponseSink {
  /** Callbacks for chunks that are not written yet. They are called with an error where the connection ends before. */
  const lent = new Set<(error?: Error | null) => void>();
  let begun = false;
  let waiting = false;

  const resume = (): void => {
    waiting = false;
    on.resume();
  };
  response.once("close", () => {
    for (const consumed of lent) consumed(new Error("the connection has ended"));
    lent.clear();
  });

  function write(chunk: Buffer, consumed: ((error?: Error | null) => void) | undefined): boolean {
    if (consumed === undefined) return response.write(chunk);
    lent.add(consumed);
    return response.write(chunk, (error) => {
      if (lent.delete(consumed)) consumed(error);
    });
  }

  return {
    head(head) {
      begun = true;
      on.head(head);
    },
    chunk(chunk, consumed) {
      bytes.sent += chunk.length;
      const more = write(chunk, consumed);
      if (!more && !waiting) {
        waiting = true;
        response.once("drain", resume);
      }
      return more;
    },
    flush() {
      // Send the head now if the body is not here yet.
      if (begun && !response.headersSent) response.flushHeaders();
    },
    end: () => endResponse(request, response),
    failed(failure) {
      // A response in progress can only be cut, so that the client sees that it is incomplete.
      if (begun && response.headersSent) response.destroy();
      else if (begun) disclaim(response);
      on.failed(failure);
    },
  };
}
