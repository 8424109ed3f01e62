import { fairQueue } from "@registry-gate/auth-kit";
import { expect, test } from "vitest";
import { limitTransport } from "../../src/forward/limit-transport.ts";
import type { TransportFailure, UpstreamRequest } from "../../src/forward/transport.ts";

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
