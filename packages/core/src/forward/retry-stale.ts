import type { ResponseSink, Transfer, Transport, UpstreamRequest } from "./transport.ts";

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
      let current: Transfer | undefined;
      let aborted = false;
      const first: ResponseSink = {
        head: (head) => sink.head(head),
        chunk: (chunk, consumed) => sink.chunk(chunk, consumed),
        flush: () => sink.flush(),
        end: () => sink.end(),
        failed(failure) {
          if (!failure.stale || aborted) sink.failed(failure);
          else current = transport.send(request, sink, { fresh: true });
        },
      };
      const sent = transport.send(request, first, options);
      // It may have failed synchronously, and the second attempt be in progress.
      current ??= sent;
      return {
        resume: () => current?.resume(),
        abort() {
          aborted = true;
          current?.abort();
        },
      };
    },
    close: () => transport.close(),
  };
}

function isRepeatable({ method, body }: UpstreamRequest): boolean {
  return body === undefined && (method === "GET" || method === "HEAD");
}
