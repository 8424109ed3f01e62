import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { AccessRule } from "../../src/index.ts";
import { errorCode, send } from "./client.ts";
import { startGate, startUpstream } from "./servers.ts";

const access: AccessRule[] = [
  {
    subjects: ["authenticated"],
    repositories: ["**"],
    actions: ["pull", "push", "delete"],
    immutableTags: ["v*", "stable"],
  },
];

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
