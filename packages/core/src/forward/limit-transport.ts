import { type FairQueue, QueueRefusedError, type Release } from "@registry-gate/auth-kit";
import type { ResponseSink, Transfer, Transport } from "./transport.ts";
import { asError } from "./transport-errors.ts";

/**
 * Limits the number of concurrent requests to the registry. Others wait in a fair queue, client by client, so that the
 * many requests of one client, or the queries of the gate for it, do not delay those of another.
 *
 * @param queues Urgent requests have a queue of their own: they never wait for requests that wait for them.
 */
export function limitTransport(transport: Transport, queues: { ordinary: FairQueue; urgent: FairQueue }): Transport {
  return {
    send(request, sink, options) {
      const start = (release: Release): Transfer => {
        const transfer = transport.send(request, releasing(sink, release), options);
        return {
          resume: () => transfer.resume(),
          abort() {
            transfer.abort();
            release();
          },
        };
      };
      const queue = request.urgent === true ? queues.urgent : queues.ordinary;
      const free = queue.tryAcquire();
      if (free !== undefined) return start(free);
      const abort = new AbortController();
      let current: Transfer = { resume() {}, abort: () => abort.abort() };
      queue
        .acquire(request.clientKey, abort.signal)
        .then((release) => {
          if (abort.signal.aborted) release();
          else current = start(release);
        })
        .catch((error: unknown) => {
          if (abort.signal.aborted) return;
          const kind = error instanceof QueueRefusedError ? "overloaded" : "internal";
          sink.failed({ kind, error: asError(error), stale: false });
        });
      return { resume: () => current.resume(), abort: () => current.abort() };
    },
    close() {
      queues.ordinary.close();
      queues.urgent.close();
      transport.close();
    },
  };
}

function releasing(sink: ResponseSink, release: Release): ResponseSink {
  return {
    head: (head) => sink.head(head),
    chunk: (chunk, consumed) => sink.chunk(chunk, consumed),
    flush: () => sink.flush(),
    end() {
      release();
      sink.end();
    },
    failed(failure) {
      release();
      sink.failed(failure);
    },
  };
}
