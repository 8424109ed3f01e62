import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { Agent, request as httpRequest } from "node:http";
import type { Socket } from "node:net";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { EmbeddedRegistry, Faults } from "../src/index.ts";
import {
  answerEarly,
  atMost,
  closeBeforeAnswer,
  closeMidBody,
  onlyFor,
  redirectBlobs,
  stallBeforeHeaders,
  stallMidBody,
  stallUpload,
  startEmbeddedRegistry,
} from "../src/index.ts";
import { openUpload, pushBlob, rawRequest, sha256, withDigest } from "./registry-client.ts";

let registry: EmbeddedRegistry;
let url: string;

beforeEach(async () => {
  registry = await startEmbeddedRegistry();
  url = registry.url;
});
afterEach(() => registry.close());

/** What a socket has received, as text, grows in `received`. */
function open(): { socket: Socket; received: () => string } {
  const socket = connect(registry.port, "127.0.0.1");
  let text = "";
  socket.on("error", () => undefined);
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
  });
  return { socket, received: () => text };
}

const ping = "GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n";

describe("a hook", () => {
  test("that takes over answers in the registry's place", async () => {
    registry.setFaults({
      onRequest(_request, response) {
        response.writeHead(418).end("teapot");
        return true;
      },
    });
    const answer = await fetch(`${url}/v2/`);
    expect([answer.status, await answer.text()]).toEqual([418, "teapot"]);
  });

  test("that declines leaves the request to the next, and at last to the registry", async () => {
    const asked: string[] = [];
    const declining = (name: string) => async () => {
      asked.push(name);
      return false;
    };
    registry.setFaults({ onRequest: [declining("first"), declining("second")] });
    expect((await fetch(`${url}/v2/`)).status).toBe(200);
    expect(asked).toEqual(["first", "second"]);
  });

  test("can be kept to some requests, and to a number of them", async () => {
    const heads = (request: IncomingMessage) => request.method === "HEAD";
    registry.setFaults({ onRequest: onlyFor(heads, atMost(1, closeBeforeAnswer())) });
    expect((await fetch(`${url}/v2/`)).status).toBe(200);
    await expect(rawRequest(url, "HEAD", "/v2/")).rejects.toThrow(/socket hang up|ECONNRESET/);
    expect((await rawRequest(url, "HEAD", "/v2/")).status).toBe(200);
  });

  test("that fails is answered 500, and told", async () => {
    const told: unknown[] = [];
    const failing: Faults = {
      onRequest() {
        throw new Error("on purpose");
      },
    };
    const other = await startEmbeddedRegistry({ faults: failing, onError: (error) => told.push(error) });
    try {
      expect((await fetch(`${other.url}/v2/`)).status).toBe(500);
      expect(told).toEqual([new Error("on purpose")]);
    } finally {
      await other.close();
    }
  });
});

describe("stalling", () => {
  test("before the headers takes the body and says nothing", async () => {
    registry.setFaults({ onRequest: stallBeforeHeaders() });
    const { socket, received } = open();
    socket.write("POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
    await expect.poll(() => registry.requests[0]).toMatchObject({ bytes: 5, complete: true });
    // The answer to another request shows that time enough has passed for this one's.
    registry.setFaults({});
    await fetch(`${url}/v2/`);
    expect(received()).toBe("");
    socket.destroy();
  });

  test("in the middle of the body sends the beginning and no end", async () => {
    registry.setFaults({ onRequest: stallMidBody({ length: 100, sent: 10 }) });
    const { socket, received } = open();
    socket.write(ping);
    await expect.poll(received).toContain("\0".repeat(10));
    expect(received()).toMatch(/^HTTP\/1\.1 200 OK\r\n(.+\r\n)*content-length: 100\r\n(.+\r\n)*\r\n\0{10}$/);
    expect(socket.readableEnded).toBe(false);
    socket.destroy();
  });

  test("an upload stops taking bytes", async () => {
    registry.setFaults({ onRequest: stallUpload(1000) });
    const { socket } = open();
    socket.write("POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n");
    socket.write(Buffer.alloc(64 * 1024 * 1024));
    await expect.poll(() => registry.requests[0]?.bytes).toBeGreaterThanOrEqual(1000);
    registry.setFaults({});
    // While these are answered, a registry that went on reading would have taken megabytes.
    for (let count = 0; count < 20; count += 1) await pushBlob(url, "meanwhile", Buffer.alloc(1024 * 1024));
    expect(registry.requests[0]?.bytes).toBeLessThan(1024 * 1024);
    expect(registry.requests[0]).toMatchObject({ complete: false, status: undefined });
    socket.destroy();
  });
});

describe("closing", () => {
  test("before the answer breaks the request", async () => {
    registry.setFaults({ onRequest: closeBeforeAnswer() });
    await expect(rawRequest(url, "GET", "/v2/")).rejects.toThrow(/socket hang up|ECONNRESET/);
  });

  test("in the middle of the body breaks the answer", async () => {
    registry.setFaults({ onRequest: closeMidBody({ length: 100_000, sent: 50_000 }) });
    await expect(rawRequest(url, "GET", "/v2/")).rejects.toThrow(/aborted|ECONNRESET/);
  });

  test("idle connections happens without a word, and not under a running request", async () => {
    const agent = new Agent({ keepAlive: true });
    const get = async () => {
      const request = httpRequest(`${url}/v2/`, { agent }).end();
      const [response]: IncomingMessage[] = await once(request, "response");
      response?.resume();
      await once(response ?? request, "end");
      return { socket: request.socket, hint: response?.headers["keep-alive"], reused: request.reusedSocket };
    };
    expect(await get()).toMatchObject({ hint: undefined, reused: false });
    expect(await get()).toMatchObject({ reused: true });
    registry.setFaults({ closeIdleAfter: 20 });
    const { socket } = await get();
    await expect.poll(() => socket?.destroyed).toBe(true);
    expect(registry.requests.map((request) => request.connection)).toEqual([1, 1, 1]);
    expect(await get()).toMatchObject({ reused: false });

    const digest = sha256("slow");
    const location = await openUpload(url, "idle");
    registry.setFaults({ closeIdleAfter: 20, commitDelay: 200 });
    expect((await fetch(withDigest(location, digest), { method: "PUT", body: "slow" })).status).toBe(201);
    agent.destroy();
  });
});

describe("an early answer", () => {
  test("comes while the body is on its way, and then the connection ends", async () => {
    registry.setFaults({ onRequest: answerEarly({ status: 403, after: 10 }) });
    const { socket, received } = open();
    socket.write("PUT /v2/a/manifests/b HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n0123456789");
    await once(socket, "end");
    expect(received()).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
    expect(received()).toMatch(/\r\nConnection: close\r\n\r\n\{"errors":\[\{"code":"DENIED"/);
    socket.destroy();
  });

  test("without a byte of body spares a client that waits to be told to go on", async () => {
    registry.setFaults({ onRequest: answerEarly({ status: 401, linger: 1 }) });
    const { socket, received } = open();
    socket.write("PUT /v2/a/manifests/b HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n");
    await once(socket, "close");
    expect(received()).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\n/);
    expect(registry.requests[0]).toMatchObject({ bytes: 0, complete: false });
  });
});

describe("a client that waits for 100 Continue", () => {
  test("is told to go on when the body is wanted", async () => {
    const { socket, received } = open();
    const target = `/v2/a/blobs/uploads/?digest=${sha256("hello")}`;
    socket.write(`POST ${target} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n`);
    await expect.poll(received).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    socket.write("hello");
    await expect.poll(received).toMatch(/\r\n\r\nHTTP\/1\.1 201 Created\r\n/);
    socket.destroy();
  });

  test("is refused at once where it is not, and the connection ends", async () => {
    const { socket, received } = open();
    socket.write("PUT /v2/A/manifests/b HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    await once(socket, "end");
    expect(received()).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n(.+\r\n)*Connection: close\r\n/);
    socket.destroy();
  });
});

describe("other faults", () => {
  test("a slow commit keeps the answer back until the delay is over", async () => {
    const location = await openUpload(url, "slow");
    registry.setFaults({ commitDelay: 60_000 });
    const pending = fetch(withDigest(location, sha256("x")), { method: "PUT", body: "x" });
    await expect.poll(() => registry.requests.at(-1)).toMatchObject({ method: "PUT", complete: true });
    expect((await fetch(`${url}/v2/slow/blobs/${sha256("x")}`)).status).toBe(404);
    // Closing does not wait for the delay.
    const ended = expect(pending).rejects.toThrow();
    await registry.close();
    await ended;
  });

  test("a redirect sends the download of a blob elsewhere, and nothing else", async () => {
    const digest = await pushBlob(url, "redirected", "content");
    registry.setFaults({ onRequest: redirectBlobs((name) => `http://127.0.0.1:1/store/${name}`) });
    const path = `/v2/redirected/blobs/${digest}`;
    const answer = await rawRequest(url, "GET", path);
    expect([answer.status, answer.headers.location]).toEqual([307, `http://127.0.0.1:1/store/${digest}`]);
    expect((await rawRequest(url, "HEAD", path)).status).toBe(200);
    expect((await rawRequest(url, "GET", "/v2/UPPER/blobs/x")).status).toBe(400);
  });
});
