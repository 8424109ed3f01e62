import { createHash, randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { EmbeddedRegistry } from "../src/index.ts";
import { startEmbeddedRegistry } from "../src/index.ts";
import { errorCode, locationOf, openUpload, pushBlob, rawRequest, sha256, withDigest } from "./registry-client.ts";

let registry: EmbeddedRegistry;
let url: string;

beforeAll(async () => {
  registry = await startEmbeddedRegistry();
  url = registry.url;
});
afterAll(() => registry.close());

const patch = (location: string, body: string | Uint8Array, headers: Record<string, string> = {}) =>
  fetch(location, { method: "PATCH", body: Buffer.from(body), headers });

async function blob(repository: string, digest: string): Promise<Buffer> {
  const answer = await fetch(`${url}/v2/${repository}/blobs/${digest}`);
  expect(answer.status).toBe(200);
  return Buffer.from(await answer.arrayBuffer());
}

describe("pushing a blob", () => {
  test("in one PUT stores it", async () => {
    const location = await openUpload(url, "up/put");
    const answer = await fetch(withDigest(location, sha256("hello")), { method: "PUT", body: "hello" });
    expect(answer.status).toBe(201);
    expect(answer.headers.get("docker-content-digest")).toBe(sha256("hello"));
    expect(await (await fetch(locationOf(answer, url))).text()).toBe("hello");
  });

  test("in one POST stores it", async () => {
    const digest = sha256("at once");
    const answer = await fetch(`${url}/v2/up/post/blobs/uploads/?digest=${digest}`, {
      method: "POST",
      body: "at once",
    });
    expect(answer.status).toBe(201);
    expect(answer.headers.get("location")).toBe(`${url}/v2/up/post/blobs/${digest}`);
    expect((await blob("up/post", digest)).toString()).toBe("at once");
  });

  test("in chunks puts them together, and tells how far it has come", async () => {
    let location = await openUpload(url, "up/chunks");
    const first = await patch(location, "abc", { "content-range": "0-2" });
    expect([first.status, first.headers.get("range")]).toEqual([202, "0-2"]);
    location = locationOf(first, url);
    const status = await fetch(location);
    expect([status.status, status.headers.get("range")]).toEqual([204, "0-2"]);
    const last = await fetch(withDigest(location, sha256("abcdef")), {
      method: "PUT",
      body: "def",
      headers: { "content-range": "3-5" },
    });
    expect(last.status).toBe(201);
    expect((await blob("up/chunks", sha256("abcdef"))).toString()).toBe("abcdef");
  });

  test("with chunked transfer coding stores several megabytes", async () => {
    const content = randomBytes(5_000_000);
    const location = await openUpload(url, "up/stream");
    const { pathname, search } = new URL(location);
    const answer = await rawRequest(url, "PATCH", pathname + search, { "transfer-encoding": "chunked" }, content);
    expect(answer.status).toBe(202);
    expect(registry.requests.at(-1)).toMatchObject({
      method: "PATCH",
      bytes: content.length,
      complete: true,
      status: 202,
    });
    const done = await fetch(withDigest(location, sha256(content)), { method: "PUT" });
    expect(done.status).toBe(201);
    expect((await blob("up/stream", sha256(content))).equals(content)).toBe(true);
  });

  test("by its SHA-512 stores it under that name", async () => {
    const digest = `sha512:${createHash("sha512").update("long").digest("hex")}`;
    const location = await openUpload(url, "up/long");
    expect((await fetch(withDigest(location, digest), { method: "PUT", body: "long" })).status).toBe(201);
    expect((await blob("up/long", digest)).toString()).toBe("long");
    expect((await fetch(`${url}/v2/up/long/blobs/${sha256("long")}`)).status).toBe(404);
  });

  test("with another digest than its own is refused, and leaves nothing", async () => {
    const location = await openUpload(url, "up/wrong");
    const answer = await fetch(withDigest(location, sha256("other")), { method: "PUT", body: "this" });
    expect([answer.status, await errorCode(answer)]).toEqual([400, "DIGEST_INVALID"]);
    expect((await fetch(`${url}/v2/up/wrong/blobs/${sha256("other")}`)).status).toBe(404);
    expect((await fetch(location)).status).toBe(404);
    const at = `${url}/v2/up/wrong/blobs/uploads/?digest=${sha256("other")}`;
    expect((await fetch(at, { method: "POST", body: "this" })).status).toBe(400);
    expect(await readdir(join(registry.directory, "incoming"))).not.toContain(
      location.split("/").at(-1)?.split("?")[0],
    );
  });

  test.each(["", "sha256:abc", "md5:d41d8cd98f00b204e9800998ecf8427e"])("named %j is refused", async (digest) => {
    const location = await openUpload(url, "up/unnamed");
    const answer = await fetch(withDigest(location, digest), { method: "PUT", body: "x" });
    expect([answer.status, await errorCode(answer)]).toEqual([400, "DIGEST_INVALID"]);
  });
});

describe("a chunk", () => {
  test.each(["3-5", "0-2"])("that claims to be %s after four bytes is out of order", async (range) => {
    const location = await openUpload(url, "up/order");
    await patch(location, "abcd");
    const answer = await patch(location, "xyz", { "content-range": range });
    expect([answer.status, answer.headers.get("range")]).toEqual([416, "0-3"]);
    const put = await fetch(withDigest(location, sha256("abcd")), {
      method: "PUT",
      headers: { "content-range": "9-9" },
      body: "x",
    });
    expect(put.status).toBe(416);
    expect((await fetch(withDigest(location, sha256("abcd")), { method: "PUT" })).status).toBe(201);
  });

  test.each(["0-1", "0-8"])("of three bytes that claims to be %s is taken back", async (range) => {
    const location = await openUpload(url, "up/size");
    const answer = await patch(location, "abc", { "content-range": range });
    expect([answer.status, await errorCode(answer)]).toEqual([400, "SIZE_INVALID"]);
    expect((await patch(location, "def", { "content-range": "0-2" })).status).toBe(202);
    expect((await fetch(withDigest(location, sha256("def")), { method: "PUT" })).status).toBe(201);
  });

  test("with a malformed range is refused", async () => {
    const answer = await patch(await openUpload(url, "up/range"), "abc", { "content-range": "bytes 0-2/3" });
    expect([answer.status, await errorCode(answer)]).toEqual([400, "BLOB_UPLOAD_INVALID"]);
  });
});

describe("an upload", () => {
  test("goes on where the connection broke", async () => {
    const location = await openUpload(url, "up/broken");
    const broken = httpRequest(location, { method: "PATCH", headers: { "content-length": "1000" } });
    broken.on("error", () => undefined);
    broken.write("first ");
    await expect.poll(async () => (await fetch(location)).headers.get("range")).toBe("0-5");
    broken.destroy();
    const rest = await patch(location, "second", { "content-range": "6-11" });
    expect(rest.status).toBe(202);
    const done = await fetch(withDigest(location, sha256("first second")), { method: "PUT" });
    expect(done.status).toBe(201);
  });

  test("is unknown once it was given up", async () => {
    const location = await openUpload(url, "up/cancel");
    expect((await fetch(location, { method: "DELETE" })).status).toBe(204);
    const answer = await fetch(location);
    expect([answer.status, await errorCode(answer)]).toEqual([404, "BLOB_UPLOAD_UNKNOWN"]);
  });

  test("is out of reach without the state in its location, and from another repository", async () => {
    const location = await openUpload(url, "up/state");
    const bare = location.slice(0, location.indexOf("?"));
    expect((await patch(bare, "x")).status).toBe(400);
    expect((await patch(location.replace("up/state", "up/other"), "x")).status).toBe(404);
  });

  test("takes requests that come at the same time one after the other", async () => {
    const location = await openUpload(url, "up/turns");
    const answers = await Promise.all(["a", "a", "a", "a"].map((letter) => patch(location, letter)));
    expect(answers.map((answer) => answer.status)).toEqual([202, 202, 202, 202]);
    const both = await Promise.all([1, 2].map(() => fetch(withDigest(location, sha256("aaaa")), { method: "PUT" })));
    expect(both.map((answer) => answer.status).sort()).toEqual([201, 404]);
  });
});

describe("mounting a blob", () => {
  const mount = (to: string, digest: string, from?: string) =>
    fetch(`${url}/v2/${to}/blobs/uploads/?mount=${digest}${from === undefined ? "" : `&from=${from}`}`, {
      method: "POST",
    });

  test("gives it to the other repository, which keeps it when the first deletes it", async () => {
    const digest = await pushBlob(url, "mount/source", "shared");
    expect((await mount("mount/target", digest, "mount/source")).status).toBe(201);
    expect((await fetch(`${url}/v2/mount/source/blobs/${digest}`, { method: "DELETE" })).status).toBe(202);
    expect((await fetch(`${url}/v2/mount/source/blobs/${digest}`)).status).toBe(404);
    expect((await blob("mount/target", digest)).toString()).toBe("shared");
  });

  test("that the source does not hold opens an upload", async () => {
    const answer = await mount("mount/target", sha256("nowhere"), "mount/source");
    expect(answer.status).toBe(202);
    const put = await fetch(withDigest(locationOf(answer, url), sha256("nowhere")), { method: "PUT", body: "nowhere" });
    expect(put.status).toBe(201);
  });

  test("without a source opens an upload, even where the blob is somewhere", async () => {
    const digest = await pushBlob(url, "mount/somewhere", "hidden");
    expect((await mount("mount/elsewhere", digest)).status).toBe(202);
  });
});

describe("the location of an upload", () => {
  const post = (registryUrl: string, headers: Record<string, string>) =>
    rawRequest(registryUrl, "POST", "/v2/where/blobs/uploads/", headers);

  test("begins with the host and scheme that the client used", async () => {
    const plain = await post(url, { host: "registry.example:8443" });
    expect(plain.headers.location).toMatch(/^http:\/\/registry\.example:8443\/v2\/where\/blobs\/uploads\//);
    const forwarded = await post(url, {
      host: "inner:5000",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "outer.example, middle",
    });
    expect(forwarded.headers.location).toMatch(/^https:\/\/outer\.example\/v2\/where\/blobs\/uploads\//);
  });

  test("is beside /v2/ where opaque uploads are asked for", async () => {
    const opaque = await startEmbeddedRegistry({ uploads: "opaque" });
    try {
      const answer = await post(opaque.url, {});
      expect(new URL(answer.headers.location ?? "", opaque.url).pathname).toMatch(
        /^\/artifacts-uploads\/where\/sessions\//,
      );
      expect(await pushBlob(opaque.url, "where", "content")).toBe(sha256("content"));
    } finally {
      await opaque.close();
    }
  });

  test("is a path where relative locations are asked for", async () => {
    const relative = await startEmbeddedRegistry({ locations: "relative" });
    try {
      const answer = await post(relative.url, { "x-forwarded-proto": "https" });
      expect(answer.headers.location).toMatch(/^\/v2\/where\/blobs\/uploads\//);
      expect(await pushBlob(relative.url, "where", "content")).toBe(sha256("content"));
    } finally {
      await relative.close();
    }
  });
});
