import { createHash } from "node:crypto";
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

const types = {
  image: "application/vnd.oci.image.manifest.v1+json",
  index: "application/vnd.oci.image.index.v1+json",
} as const;

function digestOf(content: string): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}

interface Content {
  readonly type: string;
  readonly body: string;
  readonly digest: string;
}

function content(type: string, value: object): Content {
  const body = JSON.stringify(value);
  return { type, body, digest: digestOf(body) };
}

function image(name: string, more: object = {}): Content {
  return content(types.image, {
    schemaVersion: 2,
    config: { digest: digestOf(`config of ${name}`) },
    layers: [{ digest: digestOf(`layer of ${name}`) }],
    ...more,
  });
}

function index(...parts: readonly Content[]): Content {
  return content(types.index, { manifests: parts.map(({ digest, type }) => ({ digest, mediaType: type })) });
}

/** The one repository team/app of a registry. */
interface Model {
  /** What each tag stands for. */
  readonly tags: Readonly<Record<string, Content>>;
  /** What else is there by its digest. */
  readonly untagged?: readonly Content[];
  /** How many tags are listed at once. */
  readonly pageSize?: number;
  /** Answers in the place of the registry, by the request's method and target. */
  readonly instead?: (asked: string) => { status: number; headers?: Record<string, string>; body?: string } | undefined;
}

async function startModel({ tags, untagged = [], pageSize = 2, instead }: Model) {
  const seen: string[] = [];
  const manifests = [...Object.values(tags), ...untagged];
  const upstream = await startUpstream((request, response) => {
    const asked = `${request.method} ${request.url}`;
    seen.push(asked);
    request.resume();
    const special = instead?.(asked);
    if (special !== undefined) {
      response.writeHead(special.status, special.headers).end(special.body);
      return;
    }
    if (request.method === "DELETE") {
      response.writeHead(202).end();
      return;
    }
    const { pathname, searchParams } = new URL(request.url ?? "", "http://registry");
    if (pathname === "/v2/team/app/tags/list") {
      const after = Object.keys(tags).filter((tag) => tag > (searchParams.get("last") ?? ""));
      const page = after.slice(0, pageSize);
      if (page.length < after.length) {
        response.setHeader("Link", `<${pathname}?last=${page.at(-1)}&n=${pageSize}>; rel="next"`);
      }
      response.end(JSON.stringify({ name: "team/app", tags: page }));
      return;
    }
    const reference = pathname.slice(pathname.lastIndexOf("/") + 1);
    const found = tags[reference] ?? manifests.find(({ digest }) => digest === reference);
    if (found === undefined) response.writeHead(404).end();
    else response.writeHead(200, { "Content-Type": found.type, "Docker-Content-Digest": found.digest }).end(found.body);
  });
  const gate = await startGate({ upstream, access });
  /** Deletes below team/app, and tells what came of it. */
  const remove = async (path: string) => {
    const response = await send(gate.port, { method: "DELETE", path: `/v2/team/app/${path}` });
    const deleted = seen.some((asked) => asked.startsWith("DELETE "));
    return { status: response.status, code: response.body === "" ? undefined : errorCode(response), deleted, response };
  };
  return { gate, seen, remove };
}

const refused = { status: 403, code: "DENIED", deleted: false };
const passed = { status: 202, deleted: true };
const undecided = { status: 502, code: "UNAVAILABLE", deleted: false };

const release = image("release");
const [amd64, arm64, tool, other] = [image("amd64"), image("arm64"), image("tool"), image("other")];
const platforms = index(amd64, arm64);
const nested = index(platforms, tool);
const tags = { a: other, latest: release, old: other, stable: nested, v1: release, x: other };

describe("a delete by tag", () => {
  test("refuses to delete an immutable tag by its name, whether or not it exists, without asking the registry", async () => {
    const { remove, seen, gate } = await startModel({ tags });
    for (const tag of ["v1", "stable", "v99"]) expect(await remove(`manifests/${tag}`)).toMatchObject(refused);
    expect(seen).toEqual([]);
    expect(gate.records[0]).toMatchObject({ decision: "denied", reason: "the tag v1 is immutable", status: 403 });
  });

  test("forwards the delete of another tag, even of the same manifest: a registry deletes only the tag", async () => {
    const { remove, seen } = await startModel({ tags });
    expect(await remove("manifests/latest")).toMatchObject(passed);
    expect(seen).toEqual(["DELETE /v2/team/app/manifests/latest"]);
  });
});

describe("a delete of a manifest by digest", () => {
  test.each([
    ["that an immutable tag stands for", release],
    ["that is an index under an immutable tag", nested],
    ["that is an index within such an index", platforms],
    ["that such an index refers to", tool],
    ["that an index within such an index refers to", arm64],
  ])("refuses to delete a manifest %s", async (_, { digest }) => {
    const { remove, gate } = await startModel({ tags, untagged: [platforms, amd64, arm64, tool] });
    const { response, ...rest } = await remove(`manifests/${digest}`);
    expect(rest).toEqual(refused);
    // The caller may not be allowed to see the tag.
    expect(response.body).not.toMatch(/v1|stable/);
    expect(gate.records[0]?.reason).toMatch(/^the tag (?:v1|stable) is immutable$/);
  });

  test("forwards the delete of a manifest that no immutable tag refers to, reading only indexes", async () => {
    const { remove, seen } = await startModel({ tags, untagged: [platforms, amd64, arm64, tool] });
    expect(await remove(`manifests/${other.digest}`)).toMatchObject(passed);
    expect(seen).toEqual([
      "GET /v2/team/app/tags/list",
      "GET /v2/team/app/tags/list?last=latest&n=2",
      "HEAD /v2/team/app/manifests/stable",
      `GET /v2/team/app/manifests/${nested.digest}`,
      `GET /v2/team/app/manifests/${platforms.digest}`,
      "GET /v2/team/app/tags/list?last=stable&n=2",
      "HEAD /v2/team/app/manifests/v1",
      `DELETE /v2/team/app/manifests/${other.digest}`,
    ]);
  });

  test("forwards the delete of a manifest that is only the subject of an immutable tag", async () => {
    const signature = image("signature", { subject: { digest: other.digest } });
    const { remove } = await startModel({ tags: { v1: signature } });
    expect(await remove(`manifests/${other.digest}`)).toMatchObject(passed);
  });

  test("refuses to delete what a manifest of an unknown media type refers to", async () => {
    const odd = content("application/x-odd", { manifests: [{ digest: amd64.digest }] });
    const { remove } = await startModel({ tags: { v1: odd }, untagged: [amd64] });
    expect(await remove(`manifests/${amd64.digest}`)).toMatchObject(refused);
  });

  test("ignores images of an index that were never pushed, and tags that are gone", async () => {
    const { remove } = await startModel({
      tags: { v1: platforms, v2: release },
      untagged: [],
      instead: (asked) => (asked === "HEAD /v2/team/app/manifests/v2" ? { status: 404 } : undefined),
    });
    expect(await remove(`manifests/${other.digest}`)).toMatchObject(passed);
  });

  test("forwards the delete of a manifest in an unknown repository", async () => {
    const body = '{"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known to registry"}]}';
    const { remove } = await startModel({
      tags: {},
      instead: (asked) => (asked.startsWith("GET ") ? { status: 404, body } : undefined),
    });
    expect(await remove(`manifests/${other.digest}`)).toMatchObject(passed);
  });
});

describe("a delete of a blob", () => {
  test.each([
    ["a layer of an immutable tag", digestOf("layer of release")],
    ["the configuration of an immutable tag", digestOf("config of release")],
    ["a layer of an image in an index under an immutable tag", digestOf("layer of amd64")],
    ["the manifest of an immutable tag, as a blob", release.digest],
    ["the manifest of an image in an index, as a blob", arm64.digest],
  ])("refuses to delete a blob that is %s", async (_, digest) => {
    const { remove } = await startModel({ tags, untagged: [platforms, amd64, arm64, tool] });
    expect(await remove(`blobs/${digest}`)).toMatchObject(refused);
  });

  test("forwards the delete of a blob that no immutable tag refers to", async () => {
    const { remove } = await startModel({ tags, untagged: [platforms, amd64, arm64, tool] });
    expect(await remove(`blobs/${digestOf("layer of other")}`)).toMatchObject(passed);
  });

  test("refuses to delete a layer of a schema 1 manifest under an immutable tag", async () => {
    const old = content("application/vnd.docker.distribution.manifest.v1+prettyjws", {
      fsLayers: [{ blobSum: digestOf("layer of old") }],
    });
    const { remove } = await startModel({ tags: { v1: old } });
    expect(await remove(`blobs/${digestOf("layer of old")}`)).toMatchObject(refused);
  });
});

describe("a delete that cannot be decided", () => {
  const list = "GET /v2/team/app/tags/list";
  const head = "HEAD /v2/team/app/manifests/v1";
  const read = `GET /v2/team/app/manifests/${platforms.digest}`;
  const headers = { "Docker-Content-Digest": platforms.digest, "Content-Type": types.index };

  test.each<
    [what: string, asked: string, response: { status: number; headers?: Record<string, string>; body?: string }]
  >([
    ["has no list of tags", list, { status: 404 }],
    ["responses for its tags as if a login were missing", list, { status: 401, body: "{}" }],
    ["fails to list its tags", list, { status: 500 }],
    ["lists no tags", list, { status: 200, body: "{}" }],
    ["lists what is no tag", list, { status: 200, body: '{"tags":["../x"]}' }],
    ["lists something else", list, { status: 200, body: "<html>" }],
    [
      "lists the same page for ever",
      list,
      { status: 200, body: '{"tags":["a"]}', headers: { Link: '</v2/team/app/tags/list?last=a>; rel="next"' } },
    ],
    ["fails to look up a tag", head, { status: 503 }],
    ["redirects for a tag", head, { status: 307, headers: { Location: "http://192.0.2.1/" } }],
    ["does not send the digest of a tag", head, { status: 200 }],
    ["says something else than a digest", head, { status: 200, headers: { "Docker-Content-Digest": "v1" } }],
    ["fails to give an index", read, { status: 500 }],
    ["has lost the index of a tag", read, { status: 404 }],
    ["gives an index that is none", read, { status: 200, headers, body: "[]" }],
    ["gives an index of something else", read, { status: 200, headers, body: '{"manifests":"x"}' }],
    [
      "gives an index of what are no digests",
      read,
      { status: 200, headers, body: '{"manifests":[{"digest":"a/../b"}]}' },
    ],
    ["gives an index without end", read, { status: 200, headers, body: " ".repeat(4 * 1024 * 1024 + 1) }],
  ])("is refused with 502 where the registry %s", async (_, request, response) => {
    const { remove } = await startModel({
      tags: { v1: platforms },
      untagged: [amd64, arm64],
      instead: (asked) => (asked.startsWith(request) ? response : undefined),
    });
    expect(await remove(`manifests/${other.digest}`)).toMatchObject(undecided);
  });

  test("is refused with 502 where there are more immutable tags than the query limit", async () => {
    const many = Object.fromEntries(
      Array.from({ length: 2000 }, (_, at) => [`v${String(at).padStart(4, "0")}`, release] as const),
    );
    const { remove, seen } = await startModel({ tags: many, pageSize: 10_000 });
    expect(await remove(`manifests/${other.digest}`)).toMatchObject(undecided);
    expect(seen).toHaveLength(2000);
  });

  test("is refused with 502 where the digests are by two algorithms", async () => {
    const { remove } = await startModel({ tags: { v1: release } });
    expect(await remove(`manifests/sha512:${"0f".repeat(64)}`)).toMatchObject(undecided);
  });
});

test("sends no query where another rule allows the delete without immutableTags", async () => {
  const seen: string[] = [];
  const upstream = await startUpstream((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    response.writeHead(202).end();
  });
  const cleaner: AccessRule = { subjects: ["user:alice"], repositories: ["**"], actions: ["delete"] };
  const gate = await startGate({ upstream, access: [...access, cleaner] });
  const paths = ["manifests/v1", `manifests/${release.digest}`, `blobs/${release.digest}`];
  for (const path of paths) {
    expect((await send(gate.port, { method: "DELETE", path: `/v2/team/app/${path}` })).status).toBe(202);
  }
  expect(seen).toEqual(paths.map((path) => `DELETE /v2/team/app/${path}`));
});
