import { AsyncLocalStorage } from "node:async_hooks";
import { fairQueue } from "@registry-gate/auth-kit";
import { expect, test } from "vitest";
import { limitTransport } from "../../src/forward/limit-transport.ts";
import type { ResponseSink, TransportFailure, UpstreamRequest } from "../../src/forward/transport.ts";

const request: UpstreamRequest = {
  method: "GET",
  target: "/v2/",
  headers: {},
  body: undefined,
  connectionKey: "alice",
  clientKey: "alice",
  route: undefined,
};

test("what cannot be sent fails alone, at once or when it has waited, and gives its slot back", async () => {
  const ordinary = fairQueue({ concurrency: 1, maxWaiting: 10 });
  const queues = { ordinary, urgent: fairQueue({ concurrency: 1, maxWaiting: 10 }) };
  const unsendable = {
    send(): never {
      throw new TypeError("the request target is malformed");
    },
    close() {},
  };
  const transport = limitTransport(unsendable, queues);
  const failures: TransportFailure[] = [];
  const sink = {
    head() {},
    chunk: () => true,
    flush() {},
    end() {},
    failed: (failure: TransportFailure) => void failures.push(failure),
  };
  const release = ordinary.tryAcquire();
  transport.send(request, sink);
  expect(ordinary.waiting).toBe(1);
  release?.();
  await expect.poll(() => failures.length).toBe(1);
  transport.send(request, sink);
  expect(failures.map(({ kind }) => kind)).toEqual(["internal", "internal"]);
  expect(ordinary.held).toBe(0);
});

const ignored: ResponseSink = { head() {}, chunk: () => true, flush() {}, end() {}, failed() {} };

test("a request that has waited is sent in its own asynchronous context", () => {
  const context = new AsyncLocalStorage<string>();
  const ordinary = fairQueue({ concurrency: 1, maxWaiting: 10 });
  const sent: (string | undefined)[] = [];
  const recorded = {
    send() {
      sent.push(context.getStore());
      return { resume() {}, abort() {} };
    },
    close() {},
  };
  const transport = limitTransport(recorded, { ordinary, urgent: ordinary });
  const first = context.run("first", () => transport.send(request, ignored));
  context.run("second", () => transport.send(request, ignored));
  context.run("first", () => first.abort());
  expect(sent).toEqual(["first", "second"]);
});

test("a request that is aborted while it waits is never sent, and its place goes to the next", () => {
  const ordinary = fairQueue({ concurrency: 1, maxWaiting: 10 });
  const sent: string[] = [];
  const recorded = {
    send({ target }: UpstreamRequest) {
      sent.push(target);
      return { resume() {}, abort() {} };
    },
    close() {},
  };
  const transport = limitTransport(recorded, { ordinary, urgent: ordinary });
  const [first, second] = ["/a", "/b", "/c"].map((target) => transport.send({ ...request, target }, ignored));
  second?.abort();
  expect(ordinary.waiting).toBe(1);
  first?.abort();
  expect(sent).toEqual(["/a", "/c"]);
});

test("thousands that wait and cannot be sent fail one after the other, not one within the other", () => {
  const count = 9000;
  const ordinary = fairQueue({ concurrency: 1, maxWaiting: count });
  const unsendable = {
    send(): never {
      throw new TypeError("the request target is malformed");
    },
    close() {},
  };
  const transport = limitTransport(unsendable, { ordinary, urgent: ordinary });
  let failed = 0;
  const sink = { ...ignored, failed: () => void failed++ };
  const release = ordinary.tryAcquire();
  for (let index = 0; index < count; index++) transport.send(request, sink);
  release?.();
  expect(failed).toBe(count);
  expect(ordinary.held).toBe(0);
});
