import { AsyncLocalStorage } from "node:async_hooks";
import type { FairQueue, QueuePlace, QueueRefusedError, Release, Waiter } from "@registry-gate/auth-kit";
import { PassingTransfer } from "./passing-transfer.ts";
import type { ResponseSink, Transport, TransportFailure, UpstreamRequest } from "./transport.ts";
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
      const limited = new LimitedTransfer(transport, request, sink, options);
      const queue = request.urgent === true ? queues.urgent : queues.ordinary;
      const free = queue.tryAcquire();
      if (free === undefined) limited.wait(queue);
      else limited.begin(free);
      return limited;
    },
    close() {
      queues.ordinary.close();
      queues.urgent.close();
      transport.close();
    },
  };
}

/** A request that holds a slot, or waits for one. A class, so that a request that waits allocates little. */
class LimitedTransfer extends PassingTransfer implements Waiter {
  readonly #transport: Transport;
  readonly #request: UpstreamRequest;
  readonly #options: Parameters<Transport["send"]>[2];
  #release: Release | undefined;
  #place: QueuePlace | undefined;
  /** Whoever gives the slot free does so in the asynchronous context of another request. */
  #inContext: ReturnType<typeof AsyncLocalStorage.snapshot> | undefined;
  #aborted = false;

  constructor(
    transport: Transport,
    request: UpstreamRequest,
    sink: ResponseSink,
    options: Parameters<Transport["send"]>[2],
  ) {
    super(sink);
    this.#transport = transport;
    this.#request = request;
    this.#options = options;
  }

  wait(queue: FairQueue): void {
    this.#inContext = AsyncLocalStorage.snapshot();
    this.#place = queue.wait(this.#request.clientKey, this);
  }

  begin(release: Release): void {
    this.#release = release;
    try {
      this.transfer = this.#transport.send(this.#request, this, this.#options);
    } catch (error) {
      // What cannot be sent holds no slot, and fails this request only: nobody above awaits a throw in a later turn.
      this.failed({ kind: "internal", error: asError(error), stale: false });
    }
  }

  granted(release: Release): void {
    this.#place = undefined;
    this.#inContext?.(() => this.begin(release));
  }

  refused(error: QueueRefusedError): void {
    this.#place = undefined;
    // In a later turn: whoever sends the request may not have this transfer yet.
    this.#inContext?.(queueMicrotask, () => {
      if (!this.#aborted) this.sink.failed({ kind: "overloaded", error, stale: false });
    });
  }

  override end(): void {
    this.#release?.();
    super.end();
  }

  override failed(failure: TransportFailure): void {
    this.#release?.();
    this.sink.failed(failure);
  }

  override abort(): void {
    this.#aborted = true;
    this.#place?.leave();
    super.abort();
    this.#release?.();
  }
}
