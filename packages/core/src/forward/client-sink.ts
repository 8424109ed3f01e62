import type { RequestContext } from "../observe/request-context.ts";
import { disclaim } from "../respond/claim.ts";
import { endResponse } from "../respond/end-response.ts";
import type { ResponseHead, ResponseSink, TransportFailure } from "./transport.ts";

export interface ClientSinkHandlers {
  /** The head of the response. */
  head(head: ResponseHead): void;
  /** Writes the head, of which nothing was sent so far; the body follows automatically. */
  begin(): void;
  /** The response failed or is incomplete. A response that has begun is already cut. */
  failed(failure: TransportFailure): void;
  /** The client accepts more data again. */
  resume(): void;
}

/**
 * A body up to this size that is here at once leaves in one write with its head. Two writes would cost the gate, the kernel
 * and the client a third more for a manifest.
 */
const smallBody = 16_384;

/** Streams a response to the client with back-pressure. */
export function clientSink({ request, response, bytes }: RequestContext, on: ClientSinkHandlers): ResponseSink {
  /** Callbacks for chunks that are not written yet. They are called with an error where the connection ends before. */
  let lent: Set<(error?: Error | null) => void> | undefined;
  /** The head is here, and then written. */
  let begun: "head" | "response" | undefined;
  let waiting = false;
  /** The length of the body as the head names it. */
  let announced: number | undefined;
  /** The whole body. It waits for the end, which comes at once. */
  let whole: Buffer | undefined;

  const resume = (): void => {
    waiting = false;
    on.resume();
  };

  function begin(): void {
    if (begun !== "head") return;
    begun = "response";
    on.begin();
  }

  function lend(consumed: (error?: Error | null) => void): Set<(error?: Error | null) => void> {
    if (lent === undefined) {
      const callbacks = new Set<(error?: Error | null) => void>();
      response.once("close", () => {
        for (const callback of callbacks) callback(new Error("the connection has ended"));
        callbacks.clear();
      });
      lent = callbacks;
    }
    return lent.add(consumed);
  }

  function write(chunk: Buffer, consumed: ((error?: Error | null) => void) | undefined): boolean {
    begin();
    if (consumed === undefined) return response.write(chunk);
    const callbacks = lend(consumed);
    return response.write(chunk, (error) => {
      if (callbacks.delete(consumed)) consumed(error);
    });
  }

  return {
    head(head) {
      begun = "head";
      announced = Number(head.headers["content-length"] ?? Number.NaN);
      on.head(head);
    },
    chunk(chunk, consumed) {
      if (consumed === undefined && chunk.length === announced && chunk.length <= smallBody) {
        whole = chunk;
        return true;
      }
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
      const unsent = begun === "head";
      begin();
      if (whole !== undefined) response.write(whole);
      else if (unsent) response.flushHeaders();
      bytes.sent += whole?.length ?? 0;
      whole = undefined;
    },
    end() {
      // Its client may have gone since it was complete.
      if (response.destroyed) return;
      begin();
      bytes.sent += whole?.length ?? 0;
      endResponse(request, response, whole);
    },
    failed(failure) {
      // A response in progress can only be cut, so that the client sees that it is incomplete.
      if (begun !== undefined && response.headersSent) response.destroy();
      else if (begun !== undefined) disclaim(response);
      on.failed(failure);
    },
  };
}
