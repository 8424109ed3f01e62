import type { ResponseHead, ResponseSink } from "./transport.ts";

export interface HoldHandlers {
  /**
   * Called with the head of the response; nothing of it is passed on before the promise resolves. `undefined`: nothing to
   * wait for.
   */
  until(head: ResponseHead): Promise<void> | undefined;
  /** The promise was rejected: the response must not be sent. The sink is not called. */
  rejected(error: unknown): void;
  /** More of the response is accepted. */
  resume(): void;
  /** Whether nobody waits for the response any more. */
  isGone(): boolean;
}

/** A call of the sink that waits. */
type Call = () => void;

/**
 * Holds a response back until something else is done. At most a chunk or two are held: no more is accepted until then.
 *
 * @param sink Must not throw.
 */
export function holdResponse(sink: ResponseSink, on: HoldHandlers): ResponseSink {
  let held: Call[] | undefined;
  let dropped = false;

  function pass(call: Call): void {
    if (held !== undefined) held.push(call);
    else if (!dropped) call();
  }

  function release(): void {
    const calls = held ?? [];
    held = undefined;
    dropped = on.isGone();
    for (const call of calls) if (!dropped) call();
  }

  function drop(error: unknown): void {
    held = undefined;
    dropped = true;
    if (!on.isGone()) on.rejected(error);
  }

  return {
    head(head) {
      const done = on.until(head);
      if (done === undefined) return sink.head(head);
      held = [() => sink.head(head)];
      void done.then(release, drop);
    },
    chunk(chunk, consumed) {
      if (held === undefined && !dropped) return sink.chunk(chunk, consumed);
      pass(() => {
        if (sink.chunk(chunk, consumed)) on.resume();
      });
      return false;
    },
    flush: () => pass(() => sink.flush()),
    end: () => pass(() => sink.end()),
    failed: (failure) => pass(() => sink.failed(failure)),
  };
}
