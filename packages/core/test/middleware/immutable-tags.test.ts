import { describe, expect, test } from "vitest";
import type { AccessRule } from "../../src/index.ts";
import { errorCode, send } from "./client.ts";
import { alice, connectRaw, startGate, startUpstream, statuses } from "./servers.ts";

const access: AccessRule[] = [
  {
    subjects: ["authenticated"],
    repositories: ["**"],
    actions: ["pull", "push", "delete"],
    immutableTags: ["v*", "stable"],
  },
];

/** Puts a manifest to a registry that responses a HEAD with `status`, and tells what came of it and what it was sent. */
async function push(status: number, path: string) {
  const seen: string[] = [];
  const upstream = await startUpstream((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    request.resume();
    response.writeHead(request.method === "HEAD" ? status : 201).end();
  });
  const gate = await startGate({ upstream, access });
  const response = await send(gate.port, { method: "PUT", path, body: "{}" });
  return { response, seen };
}

const target = "/v2/team/app/manifests/v1";

describe("a push", () => {
  test("forwards a push of an immutable tag that does not exist yet", async () => {
    const { response, seen } = await push(404, target);
    expect(response.status).toBe(201);
    expect(seen.toSorted()).toEqual([`HEAD ${target}`, `HEAD ${target}`, `PUT ${target}`]);
  });

  test("refuses a push of an immutable tag that exists, and does not send the manifest", async () => {
    const { response, seen } = await push(200, target);
    expect([response.status, errorCode(response)]).toEqual([403, "DENIED"]);
    expect(seen).toEqual([`HEAD ${target}`]);
  });

  test.each([204, 301, 307, 400, 401, 403, 405, 429, 500, 503])(
    "changes nothing where the registry answers %d for an immutable tag",
    async (status) => {
      const { response, seen } = await push(status, target);
      expect([response.status, errorCode(response)]).toEqual([502, "UNAVAILABLE"]);
      expect(seen).toEqual([`HEAD ${target}`]);
    },
  );

  test("checks each immutable tag of a push by digest, and no other", async () => {
    const digest = `sha256:${"ab".repeat(32)}`;
    const { response, seen } = await push(404, `/v2/team/app/manifests/${digest}?tag=latest&tag=v1&tag=v2`);
    expect(response.status).toBe(201);
    expect(new Set(seen)).toEqual(
      new Set([
        "HEAD /v2/team/app/manifests/v1",
        "HEAD /v2/team/app/manifests/v2",
        `PUT /v2/team/app/manifests/${digest}?tag=latest&tag=v1&tag=v2`,
      ]),
    );
  });
});

/** A registry of one tag, which a test pushes by itself, and what it has been sent in whole. */
async function startTag(options: { readonly maxConnections?: number; readonly early?: string } = {}) {
  const { early, ...limits } = options;
  const tag = { exists: false, status: 200, asked: 0 };
  const received: string[] = [];
  const upstream = await startUpstream((request, response) => {
    if (request.method === "HEAD") {
      tag.asked++;
      return void response.writeHead(tag.exists ? tag.status : 404).end();
    }
    if (early !== undefined) response.write(early);
    request.setEncoding("latin1");
    let body = "";
    request.on("data", (chunk: string) => {
      body += chunk;
    });
    request.on("end", () => {
      received.push(body);
      response.writeHead(201).end();
    });
  });
  const gate = await startGate({ upstream: { url: `http://127.0.0.1:${upstream}`, ...limits }, access });
  return { tag, received, gate };
}

const slowPush = (framing: string): string =>
  `PUT ${target} HTTP/1.1\r\nHost: x\r\nAuthorization: ${alice}\r\nContent-Type: a/b\r\n${framing}\r\n\r\n`;

describe("a push with a slow body", () => {
  test.each([
    ["of known length", "Content-Length: 12", '{"a":1', ',"b":2'],
    ["in one last chunk", "Content-Length: 6", "", '{"a":1'],
    ["in chunks", "Transfer-Encoding: chunked", "2\r\n{}\r\n", "2\r\n{}\r\n0\r\n\r\n"],
    ["in chunks, of which the last is empty", "Transfer-Encoding: chunked", "2\r\n{}\r\n", "0\r\n\r\n"],
  ])("does not overwrite an immutable tag that was pushed meanwhile: %s", async (_, framing, first, rest) => {
    const { tag, received, gate } = await startTag();
    const client = await connectRaw(gate.port);
    client.write(slowPush(framing) + first);
    await expect.poll(() => tag.asked).toBe(1);
    tag.exists = true;
    client.write(rest);
    expect(statuses(await client.until(/DENIED/))).toEqual([403]);
    expect([tag.asked, received]).toEqual([2, []]);
    await expect.poll(() => gate.records.length).toBe(1);
    expect(gate.records[0]).toMatchObject({ decision: "denied", reason: "the tag v1 is immutable", status: 403 });
    // The connection of the client is as good as before.
    client.write(`GET /v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(statuses(await client.ended())).toEqual([403, 401]);
  });

  test("arrives complete where nobody else pushed the tag, also with a single connection", async () => {
    const { tag, received, gate } = await startTag({ maxConnections: 1 });
    const body = "x".repeat(300_000);
    const client = await connectRaw(gate.port);
    client.write(slowPush(`Content-Length: ${body.length}`) + body.slice(0, 200_000));
    await expect.poll(() => tag.asked).toBe(1);
    client.write(body.slice(200_000));
    expect(statuses(await client.until(/\r\n\r\n/))).toEqual([201]);
    expect([tag.asked, received]).toEqual([2, [body]]);
  });

  test("changes nothing where the final check of the tag fails", async () => {
    const { tag, received, gate } = await startTag();
    const client = await connectRaw(gate.port);
    client.write(`${slowPush("Content-Length: 4")}{}`);
    await expect.poll(() => tag.asked).toBe(1);
    Object.assign(tag, { exists: true, status: 500 });
    client.write("  ");
    expect(statuses(await client.until(/UNAVAILABLE/))).toEqual([502]);
    expect(received).toEqual([]);
  });

  test("closes its connection where the registry has begun to respond", async () => {
    const { tag, received, gate } = await startTag({ early: "early" });
    const client = await connectRaw(gate.port);
    client.write(slowPush("Content-Length: 200002") + "x".repeat(200_000));
    await client.until(/early/);
    tag.exists = true;
    client.write("  ");
    await client.ended();
    expect(received).toEqual([]);
  });

  test("causes no query where the client disconnects", async () => {
    const { tag, received, gate } = await startTag();
    const client = await connectRaw(gate.port);
    client.write(`${slowPush("Content-Length: 4")}{}`);
    await expect.poll(() => tag.asked).toBe(1);
    client.socket.resetAndDestroy();
    await expect.poll(() => gate.records.length).toBe(1);
    expect([gate.records[0]?.outcome, received]).toEqual(["client-aborted", []]);
  });
});

describe("pushes of one immutable tag at the same moment", () => {
  /** A registry that has a tag when it has responded to its push, and does so when it is told. */
  async function startSlowRegistry() {
    const tags = new Set<string>();
    const waiting: (() => void)[] = [];
    const asked: string[] = [];
    const upstream = await startUpstream((request, response) => {
      const tag = request.url?.split("/").at(-1) ?? "";
      request.resume();
      if (request.method === "HEAD") {
        asked.push(tag);
        return void response.writeHead(tags.has(tag) ? 200 : 404).end();
      }
      request.on("end", () =>
        waiting.push(() => {
          tags.add(tag);
          response.writeHead(201).end();
        }),
      );
    });
    return { upstream, waiting, asked };
  }

  test("are decided one after the other: the first is passed on, and each other refused", async () => {
    const { upstream, waiting } = await startSlowRegistry();
    const gate = await startGate({ upstream, access });
    const pushes = Array.from({ length: 5 }, () => send(gate.port, { method: "PUT", path: target, body: "{}" }));
    await expect.poll(() => waiting.length).toBe(1);
    // Another tag has turns of its own.
    const other = send(gate.port, { method: "PUT", path: "/v2/team/app/manifests/v2", body: "{}" });
    await expect.poll(() => waiting.length).toBe(2);
    for (const respond of waiting) respond();
    const all = (await Promise.all(pushes)).map(({ status }) => status);
    expect(all.toSorted()).toEqual([201, 403, 403, 403, 403]);
    expect((await other).status).toBe(201);
    expect(waiting).toHaveLength(2);
  });

  test("leave the turn to the next where a client goes away", async () => {
    const { upstream, waiting, asked } = await startSlowRegistry();
    const gate = await startGate({ upstream, access });
    const first = await connectRaw(gate.port);
    first.write(`${slowPush("Content-Length: 2")}{}`);
    await expect.poll(() => waiting.length).toBe(1);
    const [gone, second] = [await connectRaw(gate.port), await connectRaw(gate.port)];
    gone.write(`${slowPush("Content-Length: 2")}{}`);
    second.write(`${slowPush("Content-Length: 2")}{}`);
    // The first has asked twice; these ask once more in their turn.
    await expect.poll(() => asked.length).toBe(4);
    gone.socket.resetAndDestroy();
    await expect.poll(() => gate.records.length).toBe(1);
    first.socket.resetAndDestroy();
    await expect.poll(() => waiting.length).toBe(2);
    waiting[1]?.();
    expect(statuses(await second.until(/\r\n\r\n/))).toEqual([201]);
  });
});
