import { describe, expect, test } from "vitest";
import { send } from "./client.ts";
import { alice, connectRaw, startGate, startUpstream, statuses } from "./servers.ts";

const get = (repository: string): string =>
  `GET /v2/${repository}/tags/list HTTP/1.1\r\nHost: x\r\nAuthorization: ${alice}\r\n\r\n`;

describe("pipelined requests", () => {
  test("are handled one after the other: 3,000 open one connection to the registry", async () => {
    const connections = new Set<unknown>();
    const upstream = await startUpstream((request, response) => {
      connections.add(request.socket.remotePort);
      response.end(`${request.url}\n`);
    });
    const gate = await startGate({ upstream });
    const client = await connectRaw(gate.port);
    client.write(Array.from({ length: 3000 }, (_, index) => get(`r${index}`)).join(""));
    const text = await client.until(/r2999\/tags/);
    expect([...text.matchAll(/\/v2\/(r\d+)\/tags/g)].map(([, name]) => name)).toEqual(
      Array.from({ length: 3000 }, (_, index) => `r${index}`),
    );
    expect(connections.size).toBe(1);
  });

  test("reach the registry one at a time", async () => {
    const held: (() => void)[] = [];
    let most = 0;
    const upstream = await startUpstream((_, response) => {
      most = Math.max(
        most,
        held.push(() => response.end("done")),
      );
    });
    const gate = await startGate({ upstream });
    const client = await connectRaw(gate.port);
    client.write(get("a").repeat(50));
    for (let count = 0; count < 50; count++) {
      await expect.poll(() => held.length).toBe(1);
      held.pop()?.();
    }
    await expect.poll(() => statuses(client.text()).length).toBe(50);
    expect(most).toBe(1);
  });

  test("beyond the first read stay unread, while other clients are served", async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const upstream = await startUpstream(async (request, response) => {
      if (request.url?.includes("/slow/")) await released;
      response.end(request.url);
    });
    const gate = await startGate({ upstream });
    const client = await connectRaw(gate.port);
    let written = 0;
    const flood = get("slow").repeat(1000);
    const write = (): void => {
      client.socket.write(flood, () => {
        written += flood.length;
        if (written < 100 * flood.length) write();
      });
    };
    write();
    for (let count = 0; count < 20; count++) expect((await send(gate.port, { path: "/v2/" })).status).toBe(200);
    // What the kernel holds for a connection, and one read of the gate's.
    expect(written).toBeLessThan(100 * flood.length);
    release();
    await client.until(/(?:slow\/tags\/list[\s\S]*){10}/);
  });

  test("of a closed connection are dropped, and occupy no place", async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const upstream = await startUpstream(async (request, response) => {
      if (request.url?.includes("/slow/")) await released;
      response.end("ok");
    });
    const gate = await startGate({ upstream, limits: { inFlight: 2 } });
    const client = await connectRaw(gate.port);
    client.write(get("slow").repeat(100));
    await new Promise((resolve) => setTimeout(resolve, 50));
    client.socket.resetAndDestroy();
    release();
    await expect.poll(() => gate.records.length).toBe(1);
    for (let count = 0; count < 5; count++) expect((await send(gate.port, { path: "/v2/" })).status).toBe(200);
    expect(gate.records[0]).toMatchObject({ outcome: "client-aborted" });
  });

  test("with an upload among them are handled one after the other", async () => {
    const upstream = await startUpstream((request, response) => {
      let length = 0;
      request.on("data", (chunk: Buffer) => {
        length += chunk.length;
      });
      request.once("end", () => response.end(`${request.method} ${length};`));
    });
    const gate = await startGate({ upstream });
    const client = await connectRaw(gate.port);
    const patch = `PATCH /v2/a/blobs/uploads/1 HTTP/1.1\r\nHost: x\r\nAuthorization: ${alice}\r\n`;
    client.write(get("a"));
    client.write(`${patch}Content-Length: 5\r\n\r\n12345`);
    client.write(`${patch}Transfer-Encoding: chunked\r\n\r\n3\r\n123\r\n0\r\n\r\n`);
    client.write(get("b").repeat(2));
    const text = await client.until(/(?:GET 0;[\s\S]*){3}/);
    expect(text.match(/[A-Z]+ \d+;/g)).toEqual(["GET 0;", "PATCH 5;", "PATCH 3;", "GET 0;", "GET 0;"]);
  });
});

describe("a head that waits unread behind a request", () => {
  async function startSlow() {
    const upstream = await startUpstream((request, response) => {
      setTimeout(() => response.end(request.url), 150);
    });
    return await startGate({ upstream, headersTimeout: 200 });
  }

  test("does not time out, however long the requests before it take", async () => {
    const gate = await startSlow();
    const client = await connectRaw(gate.port);
    // More than is read at once, so that the connection is left in the middle of a head.
    const long = `GET /v2/a/tags/list HTTP/1.1\r\nHost: x\r\nAuthorization: ${alice}\r\nX: ${"x".repeat(8000)}\r\n\r\n`;
    client.write(long.repeat(20));
    const text = await client.until(/(?:tags\/list[\s\S]*){20}/);
    expect(statuses(text)).toEqual(Array.from({ length: 20 }, () => 200));
  });

  test("times out when it is its turn", async () => {
    const gate = await startSlow();
    const client = await connectRaw(gate.port);
    client.write(`${get("a")}${get("b")}GET /v2/ HTTP/1.1\r\n`);
    const text = await client.ended();
    expect(statuses(text)).toEqual([200, 200, 408]);
  });
});

describe("a response after which the connection closes is the last one", () => {
  const authorized = `Host: x\r\nAuthorization: ${alice}`;
  const second = `DELETE /v2/a/manifests/v1 HTTP/1.1\r\n${authorized}\r\n\r\n`;
  const access = [{ subjects: ["authenticated"], repositories: ["**"], actions: ["*" as const] }];

  test.each([
    ["the client closes it", `GET /v2/ HTTP/1.1\r\n${authorized}\r\nConnection: close\r\n\r\n`],
    ["the client speaks HTTP/1.0", `GET /v2/ HTTP/1.0\r\n${authorized}\r\n\r\n`],
    [
      "the client offers another protocol",
      `GET /v2/ HTTP/1.1\r\n${authorized}\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n`,
    ],
    [
      "the client offers another protocol, in a write of its own",
      `GET /v2/ HTTP/1.1\r\n${authorized}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n|`,
    ],
  ])("where %s: requests behind it are not handled", async (_, first) => {
    const asked: unknown[] = [];
    const upstream = await startUpstream((request, response) => {
      asked.push(request.method);
      setTimeout(() => response.end("ok"), 50);
    });
    const gate = await startGate({ upstream, access });
    const client = await connectRaw(gate.port);
    const [together = "", apart] = `${first}${second}`.split("|");
    client.write(together);
    if (apart !== undefined) {
      await expect.poll(() => asked.length).toBe(1);
      client.write(apart);
    }
    expect(statuses(await client.ended())).toEqual([200]);
    expect(asked).toEqual(["GET"]);
  });
});

describe("a socket that Node emits without listeners", () => {
  const connect = "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n";

  test.each(["", "GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n", get("a")])(
    "for a tunnel behind %j ends with its reset, and nothing else does",
    async (before) => {
      const upstream = await startUpstream((_, response) => void setTimeout(() => response.end("ok"), 20));
      const gate = await startGate({ upstream });
      for (let count = 0; count < 20; count++) {
        const client = await connectRaw(gate.port);
        client.write(before + connect);
        await new Promise((resolve) => setTimeout(resolve, count));
        client.socket.resetAndDestroy();
      }
      expect((await send(gate.port, { path: "/v2/" })).status).toBe(200);
    },
  );

  test("is refused in its turn, behind a response of any length", async () => {
    const body = "x".repeat(20_000_000);
    const upstream = await startUpstream((_, response) => void response.end(body));
    const gate = await startGate({ upstream });
    const client = await connectRaw(gate.port);
    client.write(get("a") + get("b") + connect);
    const text = await client.ended();
    expect(statuses(text)).toEqual([200, 200, 405]);
    expect(text.match(/x{1000}/g)).toHaveLength(40_000);
  });

  test("of a malformed body behind a request: both get their response, without an internal error", async () => {
    const upstream = await startUpstream((_, response) => void setTimeout(() => response.end("ok"), 50));
    const gate = await startGate({ upstream });
    const client = await connectRaw(gate.port);
    const post = `POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: x\r\nAuthorization: ${alice}\r\n`;
    client.write(`${get("a")}${post}Transfer-Encoding: chunked\r\n\r\nzz\r\n`);
    expect(statuses(await client.until(/ 400 [\s\S]*\r\n\r\n/))).toEqual([200, 400]);
    client.socket.destroy();
    await expect.poll(() => gate.records.length).toBe(2);
    expect(gate.records[1]).toMatchObject({ decision: "refused", status: 400, phase: "validate" });
    expect(gate.logged()).toBe("");
  });

  test("is refused also without a listener for refusals", async () => {
    const upstream = await startUpstream((_, response) => void response.end());
    const gate = await startGate({ upstream });
    for (const bytes of [connect, "nonsense\r\n\r\n", `${get("a")}nonsense\r\n\r\n`]) {
      const client = await connectRaw(gate.port);
      client.write(bytes);
      expect(statuses(await client.ended()).at(-1)).toBe(bytes === connect ? 405 : 400);
    }
  });

  test("is refused once, whatever follows the malformed input", async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const upstream = await startUpstream(async (_, response) => {
      await released;
      response.end("ok");
    });
    const refused: unknown[] = [];
    const gate = await startGate({ upstream, onRefused: (request) => refused.push(request) });
    const client = await connectRaw(gate.port);
    client.write(get("a"));
    for (let count = 0; count < 30; count++) {
      // More in all than is read at once, so that Node tells of it more than once.
      client.write("garbage\r\n\r\n".repeat(1000));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    release();
    expect(statuses(await client.ended())).toEqual([200, 400]);
    expect(refused).toHaveLength(1);
  });

  // A proxy that reads a second response would take it for that to its next request.
  test.each([
    ["ends", undefined],
    ["goes on malformed", "zz\r\n"],
  ])("of a body whose request was responded to gets no second response: it %s", async (_, rest) => {
    const upstream = await startUpstream((_, response) => void response.end("ok"));
    const refused: unknown[] = [];
    const gate = await startGate({ upstream, onRefused: (request) => refused.push(request) });
    const client = await connectRaw(gate.port);
    client.write("PUT /v2/a/manifests/t HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel");
    await client.until(/ 401 [\s\S]*\r\n\r\n[\s\S]*\}/);
    if (rest === undefined) client.socket.end();
    else client.write(`lo\r\n${rest}`);
    expect(statuses(await client.ended())).toEqual([401]);
    expect(refused).toEqual([]);
  });
});
