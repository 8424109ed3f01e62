import type { ResponseHead, ResponseSink, Transfer, TransportFailure } from "./transport.ts";

/**
 * A request in progress whose response is passed on as it comes: what stands between a transport and a sink changes of it
 * only what it has to. A class, so that a request allocates one object.
 */
export abstract class PassingTransfer implements ResponseSink, Transfer {
  /** The request behind, once it was sent. */
  transfer: Transfer | undefined;
  protected readonly sink: ResponseSink;

  constructor(sink: ResponseSink) {
    this.sink = sink;
  }

  head(head: ResponseHead): void {
    this.sink.head(head);
  }

  chunk(chunk: Buffer, consumed?: (error?: Error | null) => void): boolean {
    return this.sink.chunk(chunk, consumed);
  }

  flush(): void {
    this.sink.flush();
  }

  end(): void {
    this.sink.end();
  }

  abstract failed(failure: TransportFailure): void;

  resume(): void {
    this.transfer?.resume();
  }

  abort(): void {
    this.transfer?.abort();
  }
}
