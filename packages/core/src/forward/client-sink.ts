import type { RequestContext } from "../observe/request-context.ts";
import { disclaim } from "../respond/claim.ts";
import { endResponse } from "../respond/end-response.ts";
import type { ResponseHead, ResponseSink, TransportFailure } from "./transport.ts";

export interface ClientSinkHandlers {
  /** Must write the head of the response; the body follows by itself. */
  head(head: ResponseHead): void;
  /** The response did not come, or not whole. What has begun is cut already. */
  failed(failure: TransportFailure): void;
  /** The client takes more again. */
  resume(): void;
}

/** Streams a response to the client, as fast as the client takes it. */
export function clientSink({ request, response, bytes }: RequestContext, on: ClientSinkHandlers): ResponseSink {
  /** Whoever lent a chunk wants to hear of it, also where the connection ends before it is written. */
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
      // The client gets the head now where the body is not here yet.
      if (begun && !response.headersSent) response.flushHeaders();
    },
    end: () => endResponse(request, response),
    failed(failure) {
      // What has begun cannot be taken back: the client must see that it is not whole.
      if (begun && response.headersSent) response.destroy();
      else if (begun) disclaim(response);
      on.failed(failure);
    },
  };
}
