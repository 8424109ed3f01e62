import { expect, test } from "vitest";
import { lazyTransport } from "../../src/forward/lazy-transport.ts";
import type { ResponseSink, Transport, UpstreamRequest } from "../../src/forward/transport.ts";

const request: UpstreamRequest = {
  method: "PUT",
  target: "/v2/app/manifests/1",
  headers: {},
  body: undefined,
  connectionKey: "",
  clientKey: "",
  route: undefined,
};

interface Seen {
  readonly calls: string[];
  readonly sink: ResponseSink;
  readonly transport: Transport;
}

function scene(): Seen {
  const calls: string[] = [];
  const sink: ResponseSink = {
    head: () => void calls.push("head"),
    chunk: () => calls.push("chunk") > 0,
    flush: () => void calls.push("flush"),
    end: () => void calls.push("end"),
    failed: ({ kind, error }) => void calls.push(`${kind}: ${error.message}`),
  };
  const transport: Transport = {
    send(_, to) {
      calls.push("send");
      to.end();
      return { resume: () => calls.push("resume"), abort: () => void calls.push("abort") };
    },
    close: () => void calls.push("close"),
  };
  return { calls, sink, transport };
}

const loaded = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("a transport is loaded once, with the first request, and sends that request too", async () => {
  const { calls, sink, transport } = scene();
  const lazy = lazyTransport(async () => {
    calls.push("load");
    return transport;
  });
  lazy.send(request, sink);
  lazy.send(request, sink).resume();
  await loaded();
  lazy.send(request, sink).resume();
  expect(calls).toEqual(["load", "send", "end", "send", "end", "send", "end", "resume"]);
});

test("a request that is aborted while the transport is loaded is not sent", async () => {
  const { calls, sink, transport } = scene();
  lazyTransport(async () => transport)
    .send(request, sink)
    .abort();
  await loaded();
  expect(calls).toEqual([]);
});

test("a transport that cannot be loaded is a registry that cannot be reached", async () => {
  const { calls, sink } = scene();
  lazyTransport(() => Promise.reject(new Error("no such module"))).send(request, sink);
  await loaded();
  expect(calls).toEqual(["unreachable: no such module"]);
});

test("a transport that is closed while it is loaded is closed then, and its requests are sent", async () => {
  const { calls, sink, transport } = scene();
  const lazy = lazyTransport(async () => transport);
  lazy.send(request, sink);
  lazy.close();
  await loaded();
  expect(calls.toSorted()).toEqual(["close", "end", "send"]);
});
