import type { RequestContext } from "../observe/request-context.ts";
import { disclaim } from "../respond/claim.ts";
import { endResponse } from "../respond/end-response.ts";
import { BodyWriter } from "./body-writer.ts";
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
  let writer: BodyWriter | undefined;
  /** The head is here, and then written. */
  let begun: "head" | "response" | undefined;
  /** The length of the body as the head names it. */
  let announced: number | undefined;
  /** The whole body. It waits for the end, which comes at once. */
  let whole: Buffer | undefined;

  function begin(): void {
    if (begun !== "head") return;
    begun = "response";
    on.begin();
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
      begin();
      writer ??= new BodyWriter(response, on.resume);
      return writer.write(chunk, consumed);
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
      if (writer === undefined) endResponse(request, response, whole);
      else writer.end(() => endResponse(request, response, whole));
    },
    failed(failure) {
      // A response in progress can only be cut, so that the client sees that it is incomplete.
      if (begun !== undefined && response.headersSent) response.destroy();
      else if (begun !== undefined) disclaim(response);
      on.failed(failure);
    },
  };
}
