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

/** Streams a response to the client with back-pressure. A class, so that a request allocates one object. */
export class ClientSink implements ResponseSink {
  readonly #context: RequestContext;
  readonly #on: ClientSinkHandlers;
  #writer: BodyWriter | undefined;
  /** The head is here, and then written. */
  #begun: "head" | "response" | undefined;
  /** The length of the body as the head names it. */
  #announced: number | undefined;
  /** The whole body. It waits for the end, which comes at once. */
  #whole: Buffer | undefined;

  constructor(context: RequestContext, on: ClientSinkHandlers) {
    this.#context = context;
    this.#on = on;
  }

  head(head: ResponseHead): void {
    this.#begun = "head";
    this.#announced = Number(head.headers["content-length"] ?? Number.NaN);
    this.#on.head(head);
  }

  chunk(chunk: Buffer, consumed?: (error?: Error | null) => void): boolean {
    if (consumed === undefined && chunk.length === this.#announced && chunk.length <= smallBody) {
      this.#whole = chunk;
      return true;
    }
    const { response, bytes } = this.#context;
    bytes.sent += chunk.length;
    this.#begin();
    this.#writer ??= new BodyWriter(response, () => this.#on.resume());
    return this.#writer.write(chunk, consumed);
  }

  flush(): void {
    const { response, bytes } = this.#context;
    // Send the head now if the body is not here yet.
    const unsent = this.#begun === "head";
    this.#begin();
    if (this.#whole !== undefined) response.write(this.#whole);
    else if (unsent) response.flushHeaders();
    bytes.sent += this.#whole?.length ?? 0;
    this.#whole = undefined;
  }

  end(): void {
    const { request, response, bytes } = this.#context;
    // Its client may have gone since it was complete.
    if (response.destroyed) return;
    this.#begin();
    const whole = this.#whole;
    bytes.sent += whole?.length ?? 0;
    if (this.#writer === undefined) endResponse(request, response, whole);
    else this.#writer.end(() => endResponse(request, response, whole));
  }

  failed(failure: TransportFailure): void {
    const { response } = this.#context;
    const begun = this.#begun;
    // A response in progress can only be cut, so that the client sees that it is incomplete.
    if (begun !== undefined && response.headersSent) response.destroy();
    else if (begun !== undefined) disclaim(response);
    this.#on.failed(failure);
  }

  #begin(): void {
    if (this.#begun !== "head") return;
    this.#begun = "response";
    this.#on.begin();
  }
}
