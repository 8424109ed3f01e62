import { createServer, type Server } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { basic } from "../support/basic.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { passwordFile } from "../support/password-file.ts";
import { connectRaw, type RawClient, type RawResponse } from "../support/raw-client.ts";
import { startUpload } from "../support/registry-content.ts";
import { authorization, host, lines, type Scene, sent, startScene } from "./scene.ts";

/** What stands still is cut, what moves is not, and what is too much is told so. */

/** Of a head, and of what stands still, in milliseconds. */
const limit = 2000;

let scene: Scene;

beforeAll(async () => {
  scene = await startScene({
    listen: { headersTimeout: `${limit}ms` },
    upstream: { readTimeout: `${limit}ms` },
  });
});

afterAll(() => scene.close());

function errorIn(response: RawResponse | undefined): unknown {
  const { errors }: { errors: unknown[] } = JSON.parse(response?.body ?? "");
  return errors[0];
}

/** Sends the bytes in chunks, so many milliseconds apart, until there are none or the server has had enough. */
async function drip(client: RawClient, chunks: readonly string[], pause: number): Promise<void> {
  for (const chunk of chunks) {
    if (client.socket.destroyed || client.socket.readableEnded) return;
    client.write(chunk);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

describe("a head that is not complete in time gets 408", () => {
  test.each([
    ["because it stops", [lines("GET /v2/ HTTP/1.1", host, "")]],
    ["because nothing comes at all", []],
    ["however it drips", [...lines("GET /v2/ HTTP/1.1", host, `X: ${"x".repeat(10_000)}`)]],
  ])("%s", async (_, chunks) => {
    const client = await connectRaw(scene.gate.url);
    const dripping = drip(client, chunks, 50);
    const [response] = await client.responses(1);
    expect(response?.status).toBe(408);
    expect(errorIn(response)).toEqual({
      code: "UNKNOWN",
      message: "the request head timed out",
      detail: { requestId: response?.headers.get("x-request-id") },
    });
    expect(response?.headers.get("connection")).toBe("close");
    client.socket.destroy();
    await dripping;
  });
});

describe("a body", () => {
  const caller = () => ({ url: scene.gate.url, headers: basic("alice", "alice-password") });

  test("that stalls gets 408, and never ended before the registry", async () => {
    const client = await connectRaw(scene.gate.url);
    const line = "PATCH /v2/team/app/blobs/uploads/1 HTTP/1.1";
    scene.relay.take();
    client.write(lines(line, host, authorization, "Content-Length: 10", "", "12345"));
    const [response] = await client.responses(1);
    expect(response?.status).toBe(408);
    expect(errorIn(response)).toEqual({
      code: "UNKNOWN",
      message: "the request body timed out",
      detail: { requestId: response?.headers.get("x-request-id") },
    });
    const headers = ["content-type: application/octet-stream", "content-length: 10"];
    expect(scene.relay.take()).toEqual([`${sent(line, ...headers)}12345`]);
    client.socket.destroy();
  });

  test("that is slow but moves is not cut, although the whole takes several times as long as standing still may", async () => {
    const location = await startUpload(caller(), "team/app");
    const chunks = Array.from({ length: 40 }, () => "x".repeat(100));
    const client = await connectRaw(scene.gate.url);
    const target = location.pathname + location.search;
    client.write(lines(`PATCH ${target} HTTP/1.1`, host, authorization, "Content-Length: 4000", "", ""));
    const began = performance.now();
    await drip(client, chunks, (2.5 * limit) / chunks.length);
    const [response] = await client.responses(1);
    expect(performance.now() - began).toBeGreaterThan(2 * limit);
    expect(response?.status).toBe(202);
    expect(response?.headers.get("range")).toBe("0-3999");
    client.socket.destroy();
  });
});

describe("connections", () => {
  let crowded: Scene;

  beforeAll(async () => {
    crowded = await startScene({ listen: { maxConnections: 3 } });
  });

  afterAll(() => crowded.close());

  test("beyond the limit get 503, and connected clients keep being served", async () => {
    const { url } = crowded.gate;
    const ping = lines("GET /v2/ HTTP/1.1", host, authorization, "", "");
    const locations: URL[] = [];
    for (let index = 0; index < 3; index++) {
      locations.push(await startUpload({ url, headers: basic("alice", "alice-password") }, "team/app"));
    }
    const served = await Promise.all(
      locations.map(async ({ pathname, search }) => {
        const client = await connectRaw(url);
        client.write(
          lines(`PATCH ${pathname}${search} HTTP/1.1`, host, authorization, "Content-Length: 10", "", "12345"),
        );
        return client;
      }),
    );

    // As soon as all of them have come to the gate.
    let response: RawResponse | undefined;
    await expect
      .poll(async () => {
        const further = await connectRaw(url);
        further.write(ping);
        [response] = await further.responses(1);
        further.socket.destroy();
        return response?.status;
      })
      .toBe(503);
    expect(errorIn(response)).toEqual({
      code: "UNAVAILABLE",
      message: "too many connections",
      detail: { requestId: response?.headers.get("x-request-id") },
    });
    expect(response?.headers.get("retry-after")).toMatch(/^\d+$/);
    for (const client of served) {
      client.write("67890");
      expect((await client.responses(1))[0]?.status).toBe(202);
    }

    served[0]?.socket.destroy();
    await expect
      .poll(async () => {
        const next = await connectRaw(url);
        next.write(ping);
        const status = (await next.responses(1))[0]?.status;
        next.socket.destroy();
        return status;
      })
      .toBe(200);
    for (const client of served) client.socket.destroy();
  });

  test("far beyond the limit are closed at once", async () => {
    const idle = await Promise.all(Array.from({ length: 300 }, () => connectRaw(crowded.gate.url)));
    await Promise.race(idle.map((client) => client.ended()));
    const closed = idle.filter(({ socket }) => socket.readableEnded || socket.destroyed);
    expect(closed.length).toBeGreaterThan(0);
    expect(closed.map((client) => client.text()).join("")).toBe("");
    for (const client of idle) client.socket.destroy();
  });
});

describe("a registry that stands still", () => {
  let silent: Server;
  let gate: RunningGate;

  beforeAll(async () => {
    // Takes whatever it is sent, begins to respond to a request for a blob, and says nothing more.
    silent = createServer((socket) => {
      socket.on("error", () => {});
      socket.on("data", (chunk) => {
        if (chunk.includes("/blobs/")) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345");
      });
    });
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const address = silent.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    gate = await startGate({
      configuration: {
        listen: { address: "127.0.0.1:0" },
        upstream: { url: `http://127.0.0.1:${port}`, readTimeout: `${limit}ms` },
        auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
      },
      files: { htpasswd: await passwordFile({ alice: "alice-password" }) },
    });
  });

  afterAll(async () => {
    await gate.close();
    silent.close();
  });

  test("before its response leads to 504", async () => {
    const client = await connectRaw(gate.url);
    client.write(lines("GET /v2/team/app/tags/list HTTP/1.1", host, authorization, "", ""));
    const [response] = await client.responses(1);
    expect(response?.status).toBe(504);
    expect(errorIn(response)).toEqual({
      code: "UNAVAILABLE",
      message: "the registry does not respond",
      detail: { requestId: response?.headers.get("x-request-id") },
    });
    client.socket.destroy();
  });

  test("in the middle of its response ends the client's connection too", async () => {
    const client = await connectRaw(gate.url);
    const blob = `/v2/team/app/blobs/sha256:${"ab".repeat(32)}`;
    client.write(lines(`GET ${blob} HTTP/1.1`, host, authorization, "", ""));
    await client.ended();
    expect(client.text()).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\n12345$/);
    client.socket.destroy();
  });
});
