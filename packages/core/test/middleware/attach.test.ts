import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AuthBackend, Logger } from "@registry-gate/auth";
import { describe, expect, onTestFinished, test } from "vitest";
import { listen } from "../../../../test/support/listen.ts";
import { registryProxy } from "../../src/index.ts";
import { connectRaw, startUpstream, statuses } from "./servers.ts";

const anybody: AuthBackend = {
  id: "anybody",
  authenticate: async () => ({
    status: "authenticated",
    identity: { subject: "a", username: "a", groups: [], backend: "anybody" },
  }),
};

/** An app of somebody's own, on a server with Node's own limits, made short. */
async function startApp(isAttached: boolean, times = 1) {
  const warnings: string[] = [];
  const warn: Logger["warn"] = (_, message) => void warnings.push(message);
  let asked = 0;
  const upstream = await startUpstream((request, response) => {
    asked++;
    request.resume().once("end", () => response.end("taken"));
  });
  const registry = registryProxy({
    upstream: { url: `http://127.0.0.1:${upstream}` },
    backends: [anybody],
    log: { debug() {}, info() {}, warn, error: warn },
  });
  const handler: RequestListener = (request, response) => registry(request, response, () => response.end("a page"));
  const server = createServer({ requestTimeout: 300, headersTimeout: 300, connectionsCheckingInterval: 50 }, handler);
  if (isAttached) for (let count = 0; count < times; count++) registry.attach(server, handler);
  const port = await listen(server);
  onTestFinished(async () => {
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
    await registry.close();
  });
  return { port, warnings, upstreamRequests: () => asked };
}

test("attaching twice handles each request once", async () => {
  const { port, upstreamRequests } = await startApp(true, 2);
  const client = await connectRaw(port);
  client.write("PATCH /v2/a/blobs/uploads/1 HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\n");
  client.write("Expect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  await client.until(/100 Continue\r\n\r\n/);
  client.write("body");
  expect(statuses(await client.until(/taken/))).toEqual([100, 200]);
  expect(upstreamRequests()).toBe(1);
  client.write("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n");
  expect(statuses(await client.ended())).toEqual([100, 200, 405]);
});

async function uploadSlowly(port: number): Promise<string> {
  const client = await connectRaw(port);
  client.write("PATCH /v2/a/blobs/uploads/1 HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\n");
  client.write("Transfer-Encoding: chunked\r\n\r\n");
  for (let count = 0; count < 10; count++) {
    client.write("1\r\nx\r\n");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  client.write("0\r\n\r\n");
  return await client.until(/taken|408/);
}

describe("a server that was attached", () => {
  test("does not cut an upload in progress, however long it takes", async () => {
    const { port, warnings } = await startApp(true);
    expect(statuses(await uploadSlowly(port))).toEqual([200]);
    expect(warnings).toEqual([]);
  });

  test("still limits how long a head may take", async () => {
    const { port } = await startApp(true);
    const client = await connectRaw(port);
    client.write("GET /v2/ HTTP/1.1\r\n");
    expect(statuses(await client.ended())).toEqual([408]);
  });

  test("authorizes an upload before its body is sent", async () => {
    const { port } = await startApp(true);
    const client = await connectRaw(port);
    client.write(
      "PATCH /v2/A/blobs/uploads/1 HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
    );
    expect(statuses(await client.ended())).toEqual([400]);
  });
});

test("warns once of a server that was not attached, with the effect on uploads", async () => {
  const { port, warnings } = await startApp(false);
  for (let count = 0; count < 3; count++) await fetch(`http://127.0.0.1:${port}/v2/`);
  expect(warnings).toEqual([
    "registry.attach(server, app) was not called: the server asks for refused bodies and cuts uploads that take longer than 0.3 s",
  ]);
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe("a page");
});
