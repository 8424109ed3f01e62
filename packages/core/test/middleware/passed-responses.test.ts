import { redirectBlobs } from "@registry-gate/embedded-registry";
import { describe, expect, test } from "vitest";
import { errorCode, send, zeros } from "./client.ts";
import { alice, connectRaw, exchange, startGate, startRawUpstream, startRegistry, statuses } from "./servers.ts";

const blob = `/v2/team/app/blobs/sha256:${"0".repeat(64)}`;
const get = [`GET ${blob} HTTP/1.1`, "Host: x", `Authorization: ${alice}`, "", ""];

describe("a response of the registry is forwarded unchanged", () => {
  test("a redirect to blob storage is left to the client", async () => {
    const registry = await startRegistry({ onRequest: redirectBlobs("https://storage.example/a?signature=b%2Fc") });
    const gate = await startGate({ upstream: registry.port });
    const response = await send(gate.port, { path: blob });
    expect([response.status, response.headers.location]).toEqual([307, "https://storage.example/a?signature=b%2Fc"]);
    expect(registry.requests).toHaveLength(1);
  });

  test.each([403, 404, 416, 429, 500, 503])("an error with its body: %d", async (status) => {
    const upstream = await startRawUpstream(
      (socket) => void socket.write(`HTTP/1.1 ${status} Whatever\r\nContent-Length: 4\r\nRetry-After: 7\r\n\r\nbody`),
    );
    const gate = await startGate({ upstream: upstream.port });
    const response = await send(gate.port, { path: blob });
    expect([response.status, response.headers["retry-after"], response.body]).toEqual([status, "7", "body"]);
    expect(upstream.received).toHaveLength(1);
    expect(gate.logged()).toBe("");
  });

  test.each([
    ["204", "HTTP/1.1 204 No Content\r\n\r\n"],
    ["304", 'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 1000\r\n\r\n'],
  ])("without a body, whatever its Content-Length: %s", async (status, bytes) => {
    const upstream = await startRawUpstream((socket) => void socket.write(bytes));
    const gate = await startGate({ upstream: upstream.port });
    const client = await connectRaw(gate.port);
    client.write(get.join("\r\n"));
    await client.until(/\r\n\r\n/);
    client.write(get.join("\r\n"));
    const received = await client.until(/(?:HTTP[\s\S]*){2}\r\n\r\n$/);
    expect(statuses(received)).toEqual([Number(status), Number(status)]);
    expect(received).not.toMatch(/transfer-encoding/i);
    expect(upstream.received).toHaveLength(1);
  });

  test("a 204 never names a length, which a client could take for that of a body", async () => {
    const upstream = await startRawUpstream(
      (socket) => void socket.end("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello"),
    );
    for (const standalone of [false, true]) {
      const gate = await startGate({ upstream: upstream.port, standalone });
      const response = await send(gate.port, { path: blob });
      expect([response.status, response.headers["content-length"]]).toEqual([204, undefined]);
    }
  });

  test("to HEAD with the length that GET would have", async () => {
    const upstream = await startRawUpstream(
      (socket) => void socket.write("HTTP/1.1 200 OK\r\nContent-Length: 123456\r\n\r\n"),
    );
    const gate = await startGate({ upstream: upstream.port });
    for (let count = 0; count < 2; count++) {
      const response = await send(gate.port, { method: "HEAD", path: blob });
      expect([response.status, response.headers["content-length"], response.body]).toEqual([200, "123456", ""]);
    }
    expect(upstream.received).toHaveLength(1);
  });

  test("in chunks, without their extensions and trailers", async () => {
    const body = "5;name=value\r\nfirst\r\n6\r\nsecond\r\n0\r\nX-Trailer: value\r\n\r\n";
    const upstream = await startRawUpstream(
      (socket) =>
        void socket.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Trailer\r\n\r\n${body}`),
    );
    const gate = await startGate({ upstream: upstream.port });
    const received = await exchange(gate.port, ...get.with(-1, ""));
    expect(received).not.toMatch(/trailer|name=value/i);
    expect((await send(gate.port, { path: blob })).body).toBe("firstsecond");
    expect(upstream.received).toHaveLength(1);
  });

  test("of HTTP/1.0, whose body ends with the connection", async () => {
    const upstream = await startRawUpstream((socket) => void socket.end("HTTP/1.0 200 OK\r\n\r\nthe whole body"));
    const gate = await startGate({ upstream: upstream.port });
    for (let count = 0; count < 2; count++) expect((await send(gate.port, { path: blob })).body).toBe("the whole body");
    expect(upstream.received).toHaveLength(2);
  });

  test("after which the registry closes; the next request gets a new connection", async () => {
    const upstream = await startRawUpstream(
      (socket) => void socket.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody"),
    );
    const gate = await startGate({ upstream: upstream.port });
    for (let count = 0; count < 2; count++) {
      const response = await send(gate.port, { path: blob, headers: { connection: "keep-alive" } });
      expect([response.body, response.headers.connection]).toEqual(["body", "keep-alive"]);
    }
    expect(upstream.received).toHaveLength(2);
  });

  test("after interim responses", async () => {
    const hints = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n";
    const upstream = await startRawUpstream(
      (socket) => void socket.write(`${hints}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody`),
    );
    const gate = await startGate({ upstream: upstream.port });
    for (let count = 0; count < 2; count++) {
      const received = await exchange(gate.port, ...get);
      expect(statuses(received)).toEqual([200]);
      expect(received).not.toContain("style.css");
    }
    expect(upstream.received).toHaveLength(1);
  });
});

describe("a client with Expect: 100-continue", () => {
  const patch = "PATCH /v2/team/app/blobs/uploads/1 HTTP/1.1";
  const expectation = ["Host: x", "Expect: 100-continue", "Content-Length: 5"];

  test("gets 100 Continue when it is allowed, and the registry gets no Expect", async () => {
    const upstream = await startRawUpstream();
    const gate = await startGate({ upstream: upstream.port });
    const client = await connectRaw(gate.port);
    client.write([patch, ...expectation, `Authorization: ${alice}`, "", ""].join("\r\n"));
    expect(await client.until(/\r\n\r\n/)).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    client.write("chunk");
    expect(statuses(await client.until(/ 200 OK[\s\S]*\r\n\r\n/))).toEqual([100, 200]);
    expect(upstream.received[0]).toMatch(/\r\n\r\nchunk$/);
    expect(upstream.received[0]).not.toMatch(/expect/i);
  });

  test.each([
    ["is not known", patch, [], 401],
    ["may not", patch, [`Authorization: ${alice}`], 403],
    ["is not understood", "PATCH /v2/Team/app/blobs/uploads/1 HTTP/1.1", [`Authorization: ${alice}`], 400],
  ])("is refused at once where it %s, and the connection closes", async (_, line, authorization, status) => {
    const upstream = await startRawUpstream();
    const access = [{ subjects: ["authenticated"], repositories: ["**"], actions: ["pull" as const] }];
    const gate = await startGate({ upstream: upstream.port, access });
    const client = await connectRaw(gate.port);
    client.write([line, ...expectation, ...authorization, "", ""].join("\r\n"));
    expect(statuses(await client.ended())).toEqual([status]);
    expect(upstream.received).toEqual([]);
  });
});

test.each([
  ["is kept", { connection: "keep-alive" }],
  ["is to be closed", { connection: "close" }],
])(
  "a refused client that sends its body anyway can read the response, whether the connection %s",
  async (_, headers) => {
    const upstream = await startRawUpstream();
    const gate = await startGate({ upstream: upstream.port });
    const response = await send(gate.port, {
      method: "PATCH",
      path: "/v2/team/app/blobs/uploads/1",
      headers: { ...headers, authorization: "Basic bm9ib2R5OnJlYWxseQ==" },
      body: zeros(20 * 2 ** 20),
    });
    expect([response.status, errorCode(response)]).toEqual([401, "UNAUTHORIZED"]);
    expect(upstream.received).toEqual([]);
  },
);
