import { describe, expect, test } from "vitest";
import { errorCode, send } from "./client.ts";
import { alice, connectRaw, startGate, startRawUpstream, startUpstream, statuses } from "./servers.ts";

const head = (line: string, ...headers: readonly string[]): string =>
  [line, "Host: x", `Authorization: ${alice}`, ...headers, "", ""].join("\r\n");
const get = head(`GET /v2/a/blobs/sha256:${"0".repeat(64)} HTTP/1.1`);
const patch = head("PATCH /v2/a/blobs/uploads/x HTTP/1.1", "Transfer-Encoding: chunked");
const chunk = (bytes: number): string => `${bytes.toString(16)}\r\n${"x".repeat(bytes)}\r\n`;

describe("a body that turns out to be malformed after it was partly forwarded", () => {
  test.each(["", get])("aborts its request, whatever the registry responds, behind %j", async (before) => {
    const upstream = await startRawUpstream((socket, received) => {
      if (received.startsWith("GET"))
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n${"y".repeat(4e6)}`);
      // The registry's own response comes when the gate has given up.
      else setTimeout(() => socket.write("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"), 50);
    });
    const gate = await startGate({ upstream: upstream.port });
    const client = await connectRaw(gate.port);
    client.socket.pause();
    client.write(before + patch + chunk(300_000));
    await new Promise((resolve) => setTimeout(resolve, 100));
    client.write("zz\r\n");
    await new Promise((resolve) => setTimeout(resolve, 100));
    client.socket.resume();
    await client.ended();
    expect((await send(gate.port, { path: "/v2/" })).status).toBe(200);
    expect(gate.logged()).not.toContain("internal error");
  });

  test("is refused once, where there is no response yet", async () => {
    const upstream = await startRawUpstream(() => {});
    const gate = await startGate({ upstream: upstream.port });
    const client = await connectRaw(gate.port);
    client.write(patch + chunk(10));
    await expect.poll(() => upstream.received[0]?.includes("xxxxxxxxxx")).toBe(true);
    client.write("zz\r\n");
    expect(statuses(await client.ended())).toEqual([400]);
  });
});

describe("an invalid status", () => {
  const requests = [
    { method: "GET" },
    { method: "HEAD" },
    { method: "PUT", body: "{}" },
    { method: "POST" },
    { method: "PATCH", body: "x" },
    { method: "DELETE" },
  ];
  const paths: Readonly<Record<string, string>> = {
    GET: "/v2/a/tags/list",
    HEAD: "/v2/a/tags/list",
    PUT: "/v2/a/manifests/v1",
    POST: "/v2/a/blobs/uploads/",
    PATCH: "/v2/a/blobs/uploads/1",
    DELETE: "/v2/a/manifests/v1",
  };
  const access = [{ subjects: ["authenticated"], repositories: ["**"], actions: ["*" as const] }];

  test.each(requests)("gets the client a 502, and affects no other request: $method", async ({ method, body }) => {
    for (const status of ["000", "001", "042", "099", "600", "999"]) {
      const upstream = await startRawUpstream(
        (socket) => void socket.write(`HTTP/1.1 ${status} OK\r\nContent-Length: 0\r\n\r\n`),
      );
      const gate = await startGate({ upstream: upstream.port, access });
      const response = await send(gate.port, {
        method,
        path: paths[method] ?? "",
        ...(body !== undefined && { body, headers: { "content-type": "application/octet-stream" } }),
      });
      expect([method, status, response.status]).toEqual([method, status, 502]);
      if (method !== "HEAD") expect(errorCode(response)).toBe("UNAVAILABLE");
      await expect.poll(() => gate.records.length).toBe(1);
      expect(gate.records[0]).toMatchObject({ outcome: "upstream-error", status: 502 });
    }
  });

  test("101 is invalid too, because no upgrade was requested", async () => {
    const upstream = await startRawUpstream(
      (socket) => void socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
    );
    const gate = await startGate({ upstream: upstream.port, access });
    for (const { method, body } of requests) {
      const headers = { "content-type": "application/octet-stream" };
      const sent = { method, path: paths[method] ?? "", ...(body !== undefined && { body, headers }) };
      expect((await send(gate.port, sent)).status).toBe(502);
    }
  });
});

describe("an internal error", () => {
  test("in onFinished is logged, and affects no request", async () => {
    const upstream = await startUpstream((_, response) => void response.end("ok"));
    const gate = await startGate({
      upstream,
      onFinished: () => {
        throw new Error("no room for records");
      },
    });
    for (let count = 0; count < 3; count++) expect((await send(gate.port, { path: "/v2/" })).status).toBe(200);
    await expect.poll(() => gate.logged().split("\n").length).toBe(3);
    expect(gate.logged()).toContain("no room for records");
  });
});
