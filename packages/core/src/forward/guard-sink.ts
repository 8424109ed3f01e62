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
  function guard(action: () => void): void {
    if (broken) return;
    try {
      action();
    } catch (error) {
      fail(error);
    }
  }

  return {
    sink: {
      head: (head) => guard(() => sink.head(head)),
      chunk(chunk, consumed) {
        if (broken) return false;
        try {
          return sink.chunk(chunk, consumed);
        } catch (error) {
          fail(error);
          return false;
        }
      },
      flush: () => guard(() => sink.flush()),
      end: () => guard(() => sink.end()),
      failed: (failure) => guard(() => sink.failed(failure)),
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
