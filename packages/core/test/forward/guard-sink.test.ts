import { expect, test, vi } from "vitest";
import { guardSink } from "../../src/forward/guard-sink.ts";
import type { ResponseSink, Transfer, TransportFailure } from "../../src/forward/transport.ts";

const failure: TransportFailure = { kind: "unreachable", error: new Error("away"), stale: false };
const calls: Readonly<Record<keyof ResponseSink, (sink: ResponseSink) => unknown>> = {
  head: (sink) => sink.head({ statusCode: 200, headers: {} }),
  chunk: (sink) => sink.chunk(Buffer.from("x")),
  flush: (sink) => sink.flush(),
  end: (sink) => sink.end(),
  failed: (sink) => sink.failed(failure),
};

function throwingSink(): ResponseSink {
  const fault = (): never => {
    throw new RangeError("a bug");
  };
  return { head: fault, chunk: fault, flush: fault, end: fault, failed: fault };
}

test.each(Object.entries(calls))("keeps what %s throws away from the event, and gives the transfer up", (_, call) => {
  const onThrow = vi.fn();
  const transfer: Transfer = { resume: vi.fn(), abort: vi.fn() };
  const guarded = guardSink(throwingSink(), onThrow);
  guarded.started(transfer);
  expect(call(guarded.sink)).toBeOneOf([undefined, false]);
  for (const again of Object.values(calls)) again(guarded.sink);
  expect(onThrow).toHaveBeenCalledExactlyOnceWith(new RangeError("a bug"));
  expect(transfer.abort).toHaveBeenCalledOnce();
});

test("aborts a transfer whose sink throws before send returns", () => {
  const transfer: Transfer = { resume: vi.fn(), abort: vi.fn() };
  const guarded = guardSink(throwingSink(), () => {});
  guarded.sink.head({ statusCode: 200, headers: {} });
  guarded.started(transfer);
  expect(transfer.abort).toHaveBeenCalledOnce();
});
