import { atEndOfTurn } from "./end-of-turn.ts";
import type { ResponseHead, ResponseSink, Transfer, TransportFailure } from "./transport.ts";
import { asError } from "./transport-errors.ts";

/** Hears of what a sink throws. */
export interface SinkGuard {
  /** Called once; the sink is not called after that. */
  threw(error: unknown): void;
}

const endLater: (sink: GuardedSink) => void = atEndOfTurn((sink) => sink.endNow());

/**
 * Catches errors of a sink in event listeners of sockets and libraries, where they would end the process: they end this
 * request only. The end of a response is passed on at the end of the turn, together with that of others.
 *
 * A class, so that a request allocates one object.
 */
export class GuardedSink implements ResponseSink {
  readonly #sink: ResponseSink;
  readonly #guard: SinkGuard;
  #transfer: Transfer | undefined;
  #broken = false;

  constructor(sink: ResponseSink, guard: SinkGuard) {
    this.#sink = sink;
    this.#guard = guard;
  }

  /** Sets the transfer to abort when the sink throws. */
  started(transfer: Transfer): void {
    this.#transfer = transfer;
    if (this.#broken) transfer.abort();
  }

  head(head: ResponseHead): void {
    if (this.#broken) return;
    try {
      this.#sink.head(head);
    } catch (error) {
      this.#fail(error);
    }
  }

  chunk(chunk: Buffer, consumed?: (error?: Error | null) => void): boolean {
    if (this.#broken) {
      consumed?.(new Error("the request has ended"));
      return false;
    }
    try {
      return this.#sink.chunk(chunk, consumed);
    } catch (error) {
      this.#fail(error);
      // What it was lent is nobody's then.
      consumed?.(asError(error));
      return false;
    }
  }

  flush(): void {
    if (this.#broken) return;
    try {
      this.#sink.flush();
    } catch (error) {
      this.#fail(error);
    }
  }

  end(): void {
    endLater(this);
  }

  endNow(): void {
    if (this.#broken) return;
    try {
      this.#sink.end();
    } catch (error) {
      this.#fail(error);
    }
  }

  failed(failure: TransportFailure): void {
    if (this.#broken) return;
    try {
      this.#sink.failed(failure);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#broken = true;
    this.#transfer?.abort();
    this.#guard.threw(error);
  }
}
