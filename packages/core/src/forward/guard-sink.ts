import type { ResponseSink, Transfer } from "./transport.ts";

/**
 * Keeps whatever a sink throws out of the events of sockets and libraries, where it would end the process: it ends this
 * exchange alone.
 *
 * @param onThrow Is called once; nothing is given to the sink after that.
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
  /** Names the transfer to abort when the sink throws. */
  started(transfer: Transfer): void;
}
