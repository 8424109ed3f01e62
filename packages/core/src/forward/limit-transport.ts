import { type FairQueue, QueueRefusedError, type Release } from "@registry-gate/auth-kit";
import { PassingTransfer } from "./passing-transfer.ts";
import type { ResponseSink, Transfer, Transport, TransportFailure } from "./transport.ts";
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
        const limited = new LimitedTransfer(sink, release);
        try {
          limited.transfer = transport.send(request, limited, options);
        } catch (error) {
          // What cannot be sent holds no slot, and fails this request only: nobody above awaits a throw in a later turn.
          limited.failed({ kind: "internal", error: asError(error), stale: false });
        }
        return limited;
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

/** A request in progress that holds a slot. */
class LimitedTransfer extends PassingTransfer {
  readonly #release: Release;

  constructor(sink: ResponseSink, release: Release) {
    super(sink);
    this.#release = release;
  }

  override end(): void {
    this.#release();
    super.end();
  }

  override failed(failure: TransportFailure): void {
    this.#release();
    this.sink.failed(failure);
  }

  override abort(): void {
    super.abort();
    this.#release();
  }
}
