import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connectRaw, exchangeRaw } from "../../support/raw-client.ts";
import { ordinaryResponse, requestText, responseText, type Scene, startScene } from "./scene.ts";

/** What once ended the process. */

let scene: Scene;

beforeAll(async () => {
  scene = await startScene();
});

afterAll(() => scene.close());

beforeEach(async () => {
  // What one test has ended is not the next one's fault.
  if (scene.gate.faults().length > 0) {
    await scene.close();
    scene = await startScene();
  }
  scene.respond = ordinaryResponse;
});

const manifest = "/v2/alice/app/manifests/latest";
const upload = "/v2/alice/app/blobs/uploads/1";

async function expectServing(): Promise<void> {
  const [response] = await exchangeRaw(scene.gate.url, requestText("alice", "GET", manifest));
  expect(response).toMatchObject({ status: 200, body: manifest });
  expect(scene.gate.faults()).toEqual([]);
}

describe("a connection that is reset behind a pipelined request", () => {
  const behind: readonly (readonly [what: string, bytes: string])[] = [
    ["for a tunnel", "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n"],
    ["for a tunnel, with bytes for it", "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n\u0016\u0003\u0001"],
    ["for WebSocket", "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"],
    ["for h2c", requestText("alice", "GET", manifest, "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c")],
    ["of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    ["that is malformed", "nonsense\r\n\r\n"],
    ["that asks whether to go on", requestText("alice", "PATCH", upload, "Content-Length: 5", "Expect: 100-continue")],
  ];
  const before: readonly (readonly [who: string, bytes: string])[] = [
    ["without a login", "GET /v2/ HTTP/1.1\r\nHost: a\r\n\r\n"],
    ["of a user", requestText("alice", "GET", manifest)],
  ];
  const cases = behind.flatMap(([what, second]) =>
    before.map(([who, first]) => ({ what, who, bytes: first + second })),
  );

  test.each(cases)("does not end the process: a request $who, and one $what", async ({ bytes }) => {
    // The registry takes its time, so that the second request is there while the first is not answered.
    scene.respond = (request) => setTimeout(() => ordinaryResponse(request), 20);
    for (let pause = 0; pause < 40; pause += 2) {
      const { socket, write } = await connectRaw(scene.gate.url);
      write(bytes);
      await delay(pause);
      socket.resetAndDestroy();
    }
    scene.respond = ordinaryResponse;
    await expectServing();
  });
});

test("a malformed chunk behind a response that is not read does not end the process", async () => {
  const large = "x".repeat(16 * 1024 * 1024);
  scene.respond = ({ method, socket }) => {
    if (method === "GET") socket.write(responseText("GET", large));
    // By now the gate has its own response ready, behind the first response.
    else setTimeout(() => socket.write("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"), 300);
  };
  const chunk = `1000\r\n${"x".repeat(0x1000)}\r\n`;
  for (const malformed of ["zz\r\n", "-1\r\n", "fffffffffffffffff\r\n"]) {
    const { socket, write } = await connectRaw(scene.gate.url);
    socket.pause();
    write(requestText("alice", "GET", manifest));
    write(requestText("alice", "PATCH", upload, "Transfer-Encoding: chunked") + chunk.repeat(75) + malformed);
    await delay(800);
    // And now it is read.
    socket.resume();
    await delay(400);
    socket.destroy();
  }
  scene.respond = ordinaryResponse;
  await expectServing();
});

test.each(["http://[::1/", "http://[::1/v2/", "/nothing", "*", "//"])(
  "a malformed chunk behind the target %s does not end the process",
  async (target) => {
    for (const chunk of ["zz\r\n", "5\r\nhello\r\nzz\r\n"]) {
      const { socket, write } = await connectRaw(scene.gate.url);
      write(`POST ${target} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n`);
      await delay(20);
      write(chunk);
      await delay(50);
      socket.destroy();
    }
    await expectServing();
  },
);

describe("a status that no response can have is 502", () => {
  const statuses = ["000", "001", "099", "101", "600", "999", "1000", "20", "-20", "2OO", ""];
  const requests: readonly (readonly [method: string, target: string])[] = [
    ["GET", manifest],
    ["HEAD", manifest],
    ["PUT", manifest],
    ["POST", "/v2/alice/app/blobs/uploads/"],
    ["PATCH", upload],
    ["DELETE", manifest],
  ];
  const cases = statuses.flatMap((status) => requests.map(([method, target]) => ({ status, method, target })));

  test.each(cases)("$method, $status", async ({ status, method, target }) => {
    scene.respond = ({ socket, body }) =>
      void body.then(() =>
        socket.write(`HTTP/1.1 ${status} OK\r\nContent-Length: 2\r\n\r\n${method === "HEAD" ? "" : "OK"}`),
      );
    const [response] = await exchangeRaw(scene.gate.url, requestText("alice", method, target, ...lengthOf(method)));
    expect(response?.status).toBe(502);
    scene.respond = ordinaryResponse;
    await expectServing();
  });
});

function lengthOf(method: string): readonly string[] {
  return method === "PUT" || method === "POST" || method === "PATCH" ? ["Content-Length: 0"] : [];
}

describe("holds no request for ever", () => {
  /** Longer than the gate waits for anything, in milliseconds. */
  const limit = 25_000;
  const large = "x".repeat(8 * 1024 * 1024);
  const cases: readonly (readonly [what: string, bytes: string])[] = [
    ["a tunnel behind a large response", "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n"],
    ["garbage behind a large response", "garbage\r\n".repeat(20_000)],
    ["a malformed length behind a large response", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n"],
  ];

  test.each(cases)("%s: it comes whole, and then the connection ends", async (_, bytes) => {
    scene.respond = ({ method, socket }) => socket.write(responseText(method, large));
    const client = await connectRaw(scene.gate.url);
    client.write(requestText("alice", "GET", manifest) + bytes);
    const over = await Promise.race([client.ended().then(() => "ended"), delay(limit, "open")]);
    client.socket.destroy();
    expect(over).toBe("ended");
    expect(client.text().length).toBeGreaterThan(large.length);
    scene.respond = ordinaryResponse;
    await expectServing();
  });

  test.each(["h2c", "websocket", "TLS/1.0"])(
    "a request behind one that asks for %s is answered, or the connection ends",
    async (protocol) => {
      const client = await connectRaw(scene.gate.url);
      const asking = requestText("alice", "GET", manifest, "Connection: Upgrade", `Upgrade: ${protocol}`);
      client.write(asking + requestText("alice", "GET", manifest));
      const responses = await Promise.race([client.responses(2), delay(limit, undefined)]);
      client.socket.destroy();
      expect(responses).toBeDefined();
      await expectServing();
    },
  );
});

test("logs garbage in many writes behind an open request once", async () => {
  // A gate of its own: what the tests before have cut is told whenever it has ended.
  await scene.close();
  scene = await startScene();
  scene.respond = (request) => setTimeout(() => ordinaryResponse(request), 400);
  const client = await connectRaw(scene.gate.url);
  client.write(requestText("alice", "GET", manifest));
  for (let index = 0; index < 100; index++) {
    client.write("garbage\r\n");
    await delay(1);
  }
  await client.ended();
  client.socket.destroy();
  await expectServing();
  const refusals = scene.gate.lastLines().filter((line) => line.includes('"event":"unreadable"'));
  expect(refusals.length).toBeLessThanOrEqual(1);
});

describe("a reset after every byte does not end the process, and leaves no descriptor behind", () => {
  const read = requestText("alice", "GET", manifest);
  const write = `${requestText("alice", "PUT", manifest, "Transfer-Encoding: chunked")}5\r\nhello\r\n0\r\n\r\n`;

  test.each([
    ["GET", read],
    ["PUT in chunks", write],
  ])("of the client, in a %s", async (_, bytes) => {
    const before = await scene.gate.descriptors();
    for (let cut = 0; cut <= bytes.length; cut++) {
      const client = await connectRaw(scene.gate.url);
      client.write(bytes.slice(0, cut));
      await new Promise((resolve) => setImmediate(resolve));
      client.socket.resetAndDestroy();
    }
    await expectServing();
    // One connection to the registry is kept for reads and one for the rest.
    await expect.poll(() => scene.gate.descriptors()).toBeLessThanOrEqual(before + 4);
  });

  test.each([
    ["GET", manifest, responseText("GET", "hello")],
    ["GET", manifest, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"],
    ["PUT", manifest, responseText("PUT", "hello")],
    ["PUT", manifest, "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"],
  ])("of the registry, in its response to %s %s: %j", async (method, target, bytes) => {
    for (let cut = 0; cut < bytes.length; cut++) {
      scene.respond = ({ socket, body }) =>
        void body.then(() => socket.write(bytes.slice(0, cut), "latin1", () => socket.resetAndDestroy()));
      const client = await connectRaw(scene.gate.url);
      client.write(requestText("alice", method, target, ...lengthOf(method)));
      const [response] = await client.responses(1);
      // Nothing but a whole response may look like one.
      if (response !== undefined) expect(response.status).toBe(502);
      client.socket.destroy();
    }
    scene.respond = ordinaryResponse;
    await expectServing();
  });
});
