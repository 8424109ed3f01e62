import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { GuardedSink } from "../../src/forward/guard-sink.ts";
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

test.each(Object.entries(calls))(
  "keeps what %s throws away from the event, and gives the transfer up",
  async (_, call) => {
    const onThrow = vi.fn();
    const transfer: Transfer = { resume: vi.fn(), abort: vi.fn() };
    const guarded = new GuardedSink(throwingSink(), { threw: onThrow });
    guarded.started(transfer);
    expect(call(guarded)).toBeOneOf([undefined, false]);
    await nextTurn();
    for (const again of Object.values(calls)) again(guarded);
    await nextTurn();
    expect(onThrow).toHaveBeenCalledExactlyOnceWith(new RangeError("a bug"));
    expect(transfer.abort).toHaveBeenCalledOnce();
  },
);

test("gives back what it was lent where a chunk throws, and after it", () => {
  const guarded = new GuardedSink(throwingSink(), { threw() {} });
  const consumed = vi.fn();
  for (const _ of [1, 2]) expect(guarded.chunk(Buffer.from("x"), consumed)).toBe(false);
  expect(consumed.mock.calls).toEqual([[new RangeError("a bug")], [expect.any(Error)]]);
});

test("aborts a transfer whose sink throws before send returns", () => {
  const transfer: Transfer = { resume: vi.fn(), abort: vi.fn() };
  const guarded = new GuardedSink(throwingSink(), { threw() {} });
  guarded.head({ statusCode: 200, headers: {} });
  guarded.started(transfer);
  expect(transfer.abort).toHaveBeenCalledOnce();
});

test("passes the ends of all responses on at the end of the turn, though one throws", async () => {
  const ended: string[] = [];
  const end = (name: string) => ({ ...throwingSink(), end: () => void ended.push(name) });
  const onThrow = vi.fn();
  new GuardedSink(end("first"), { threw: onThrow }).end();
  new GuardedSink(throwingSink(), { threw: onThrow }).end();
  new GuardedSink(end("last"), { threw: onThrow }).end();
  expect(ended).toEqual([]);
  await nextTurn();
  expect(ended).toEqual(["first", "last"]);
  expect(onThrow).toHaveBeenCalledExactlyOnceWith(new RangeError("a bug"));
});
