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
interface Call {
  readonly make: () => void;
  /** In its place, where it is never made: lent memory goes back. */
  readonly omit?: (() => void) | undefined;
}

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
    else settle(call);
  }

  function settle({ make, omit }: Call): void {
    if (dropped) omit?.();
    else make();
  }

  function release(): void {
    const calls = held ?? [];
    held = undefined;
    dropped = on.isGone();
    for (const call of calls) settle(call);
  }

  function drop(error: unknown): void {
    const calls = held ?? [];
    held = undefined;
    dropped = true;
    for (const call of calls) settle(call);
    if (!on.isGone()) on.rejected(error);
  }

  return {
    head(head) {
      const done = on.until(head);
      if (done === undefined) return sink.head(head);
      held = [{ make: () => sink.head(head) }];
      void done.then(release, drop);
    },
    chunk(chunk, consumed) {
      if (held === undefined && !dropped) return sink.chunk(chunk, consumed);
      const make = (): void => {
        if (sink.chunk(chunk, consumed)) on.resume();
      };
      pass({ make, omit: consumed });
      return false;
    },
    flush: () => pass({ make: () => sink.flush() }),
    end: () => pass({ make: () => sink.end() }),
    failed: (failure) => pass({ make: () => sink.failed(failure) }),
  };
}
