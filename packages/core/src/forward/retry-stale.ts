import { PassingTransfer } from "./passing-transfer.ts";
import type { ResponseSink, Transport, TransportFailure, UpstreamRequest } from "./transport.ts";

/**
 * Repeats a request once, on a new connection, where the registry closed a kept connection at the same moment.
 *
 * Only GET and HEAD without a body are repeated, which is safe (RFC 9110, section 9.2.2), and only where no byte of a
 * response has arrived.
 */
export function retryStale(transport: Transport): Transport {
  return {
    send(request, sink, options) {
      if (!isRepeatable(request)) return transport.send(request, sink, options);
      const attempt = new FirstAttempt(transport, request, sink);
      const sent = transport.send(request, attempt, options);
      // It may have failed synchronously, and the second attempt be in progress.
      attempt.transfer ??= sent;
      return attempt;
    },
    close: () => transport.close(),
  };
}

/** A request that is sent again if its connection was stale. */
class FirstAttempt extends PassingTransfer {
  readonly #transport: Transport;
  readonly #request: UpstreamRequest;
  #aborted = false;

  constructor(transport: Transport, request: UpstreamRequest, sink: ResponseSink) {
    super(sink);
    this.#transport = transport;
    this.#request = request;
  }

  override failed(failure: TransportFailure): void {
    if (!failure.stale || this.#aborted) this.sink.failed(failure);
    else this.transfer = this.#transport.send(this.#request, this.sink, { fresh: true });
  }

  override abort(): void {
    this.#aborted = true;
    super.abort();
  }
}

function isRepeatable({ method, body }: UpstreamRequest): boolean {
  return body === undefined && (method === "GET" || method === "HEAD");
}
