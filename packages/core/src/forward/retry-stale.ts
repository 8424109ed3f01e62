import type { ResponseSink, Transfer, Transport, UpstreamRequest } from "./transport.ts";

/**
 * Sends a request again, once and on a new connection, where the registry closed a kept one just as it was taken.
 *
 * Nothing was answered, and asking again changes nothing, so this holds for GET and HEAD without a body (RFC 9110,
 * section 9.2.2).
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
      // It may have failed at once, and the second attempt be under way.
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
