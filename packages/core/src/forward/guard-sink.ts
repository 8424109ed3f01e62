import type { ResponseSink, Transfer } from "./transport.ts";

/**
 * Catches errors of a sink in event listeners of sockets and libraries, where they would end the process: they end this
 * request only.
 *
 * @param onThrow Called once; the sink is not called after that.
 */
export function guardSink(sink: ResponseSink, onThrow: (error: unknown) => void): GuardedSink {
  let transfer: Transfer | undefined;
  let broken = false;

  function fail(error: unknown): void {
    broken = true;
    transfer?.abort();
    onThrow(error);
  }
  return {
    sink: {
      head(head) {
        if (broken) return;
        try {
          sink.head(head);
        } catch (error) {
          fail(error);
        }
      },
      chunk(chunk, consumed) {
        if (broken) return false;
        try {
          return sink.chunk(chunk, consumed);
        } catch (error) {
          fail(error);
          return false;
        }
      },
      flush() {
        if (broken) return;
        try {
          sink.flush();
        } catch (error) {
          fail(error);
        }
      },
      end() {
        if (broken) return;
        try {
          sink.end();
        } catch (error) {
          fail(error);
        }
      },
      failed(failure) {
        if (broken) return;
        try {
          sink.failed(failure);
        } catch (error) {
          fail(error);
        }
      },
    },
    started(started) {
      transfer = started;
      if (broken) started.abort();
    },
  };
}

export interface GuardedSink {
  readonly sink: ResponseSink;
  /** Sets the transfer to abort when the sink throws. */
  started(transfer: Transfer): void;
}
