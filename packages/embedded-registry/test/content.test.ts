import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { EmbeddedRegistry } from "../src/index.ts";
import { startEmbeddedRegistry } from "../src/index.ts";
import {
  errorCode,
  ociIndex,
  ociManifest,
  pushBlob,
  pushImage,
  putManifest,
  rawRequest,
  sha256,
} from "./registry-client.ts";

let registry: EmbeddedRegistry;
let url: string;

beforeAll(async () => {
  registry = await startEmbeddedRegistry();
  url = registry.url;
});
afterAll(() => registry.close());

const get = (path: string, headers: Record<string, string> = {}) => fetch(`${url}${path}`, { headers });
const remove = (path: string) => fetch(`${url}${path}`, { method: "DELETE" });

describe("a blob", () => {
  const path = (digest: string) => `/v2/a/blobs/${digest}`;

  test("comes with its length, digest and tag", async () => {
    const digest = await pushBlob(url, "a", "0123456789");
    for (const method of ["GET", "HEAD"]) {
      const answer = await rawRequest(url, method, path(digest));
      expect(answer.status).toBe(200);
      expect(answer.headers).toMatchObject({
        "content-length": "10",
        "content-type": "application/octet-stream",
        "docker-content-digest": digest,
        "docker-distribution-api-version": "registry/2.0",
        "accept-ranges": "bytes",
        etag: `"${digest}"`,
      });
      expect(answer.body.toString()).toBe(method === "GET" ? "0123456789" : "");
    }
  });

  test("comes in parts", async () => {
    const digest = await pushBlob(url, "a", "0123456789");
    const answer = await get(path(digest), { range: "bytes=2-4" });
    expect([answer.status, answer.headers.get("content-range"), await answer.text()]).toEqual([
      206,
      "bytes 2-4/10",
      "234",
    ]);
    const beyond = await get(path(digest), { range: "bytes=10-" });
    expect([beyond.status, beyond.headers.get("content-range")]).toEqual([416, "bytes */10"]);
    const changed = await get(path(digest), { range: "bytes=2-4", "if-range": '"something else"' });
    expect([changed.status, await changed.text()]).toEqual([200, "0123456789"]);
  });

  test("is not sent to who has it", async () => {
    const digest = await pushBlob(url, "a", "held");
    expect((await get(path(digest), { "if-none-match": `"x", "${digest}"` })).status).toBe(304);
  });

  test("may be empty", async () => {
    const digest = await pushBlob(url, "a", "");
    const answer = await get(path(digest));
    expect([answer.status, await answer.text()]).toEqual([200, ""]);
  });

  test("is unknown in another repository, and after it was deleted", async () => {
    const digest = await pushBlob(url, "a", "mine");
    const other = await get(`/v2/b/blobs/${digest}`);
    expect([other.status, await errorCode(other)]).toEqual([404, "BLOB_UNKNOWN"]);
    expect((await remove(path(digest))).status).toBe(202);
    expect((await get(path(digest))).status).toBe(404);
    expect((await remove(path(digest))).status).toBe(404);
  });
});

describe("a manifest", () => {
  test("comes back byte for byte, by tag and by digest", async () => {
    const image = await pushImage(url, "m/image", "v1");
    for (const reference of ["v1", image.digest]) {
      const answer = await get(`/v2/m/image/manifests/${reference}`);
      expect(answer.status).toBe(200);
      expect(answer.headers.get("content-type")).toBe(ociManifest);
      expect(answer.headers.get("docker-content-digest")).toBe(image.digest);
      expect(await answer.text()).toBe(image.content);
      const head = await rawRequest(url, "HEAD", `/v2/m/image/manifests/${reference}`);
      expect(head.headers["content-length"]).toBe(String(image.content.length));
    }
  });

  test("moves a tag", async () => {
    await pushImage(url, "m/move", "latest");
    const second = await pushImage(url, "m/move", "latest");
    const answer = await get("/v2/m/move/manifests/latest");
    expect(answer.headers.get("docker-content-digest")).toBe(second.digest);
  });

  test("deleted by tag stays, deleted by digest takes its tags along", async () => {
    const image = await pushImage(url, "m/delete", "one");
    await putManifest(url, "m/delete", "two", image.content);
    expect((await remove("/v2/m/delete/manifests/one")).status).toBe(202);
    expect((await get(`/v2/m/delete/manifests/${image.digest}`)).status).toBe(200);
    expect((await remove(`/v2/m/delete/manifests/${image.digest}`)).status).toBe(202);
    const gone = await get("/v2/m/delete/manifests/two");
    expect([gone.status, await errorCode(gone)]).toEqual([404, "MANIFEST_UNKNOWN"]);
    expect(await (await get("/v2/m/delete/tags/list")).json()).toEqual({ name: "m/delete", tags: [] });
  });

  test("whose digest is another is refused", async () => {
    const image = await pushImage(url, "m/bad", "x");
    const answer = await putManifest(url, "m/bad", image.digest, `${image.content} `);
    expect([answer.status, await errorCode(answer)]).toEqual([400, "DIGEST_INVALID"]);
  });

  test("whose blobs were not pushed is refused", async () => {
    const image = await pushImage(url, "m/here", "x");
    const answer = await putManifest(url, "m/there", "x", image.content);
    expect([answer.status, await errorCode(answer)]).toEqual([400, "MANIFEST_BLOB_UNKNOWN"]);
    const index = JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests: [{ digest: sha256("nothing") }] });
    const second = await putManifest(url, "m/there", "x", index, ociIndex);
    expect([second.status, await errorCode(second)]).toEqual([400, "MANIFEST_BLOB_UNKNOWN"]);
  });

  test.each([
    ["not JSON", "{", ociManifest],
    ["no object", "[]", ociManifest],
    ["of schema 1", '{"schemaVersion":1}', ociManifest],
    ["of another type than it says", `{"schemaVersion":2,"mediaType":"${ociIndex}"}`, ociManifest],
    ["of an unknown type", '{"schemaVersion":2}', "text/plain"],
    ["without a configuration", '{"schemaVersion":2,"layers":[]}', ociManifest],
    ["with a malformed digest", '{"schemaVersion":2,"config":{"digest":"sha256:x"}}', ociManifest],
    ["with a list that is none", '{"schemaVersion":2,"manifests":{}}', ociIndex],
  ])("that is %s is refused", async (_case, content, type) => {
    const answer = await putManifest(url, "m/invalid", "x", content, type);
    expect([answer.status, await errorCode(answer)]).toEqual([400, "MANIFEST_INVALID"]);
  });

  test("of more than 4 MiB is refused, and the connection goes on", async () => {
    const answer = await putManifest(url, "m/large", "x", "x".repeat(4 * 1024 * 1024 + 1));
    expect(answer.status).toBe(413);
    expect((await get("/v2/")).status).toBe(200);
  });
});

describe("the referrers of a manifest", () => {
  test("are listed, filtered by type, and forgotten with the manifest", async () => {
    const subject = await pushImage(url, "r", "subject");
    const about = { subject: { mediaType: ociManifest, digest: subject.digest, size: subject.content.length } };
    const annotations = { "org.example": "yes" };
    const typed = await pushImage(url, "r", "", { ...about, artifactType: "application/x.one", annotations });
    const untyped = await pushImage(url, "r", "", about);
    const list = async (query = "") => {
      const answer = await get(`/v2/r/referrers/${subject.digest}${query}`);
      expect(answer.headers.get("content-type")).toBe(ociIndex);
      return { filters: answer.headers.get("oci-filters-applied"), body: await answer.json() };
    };
    const first = {
      mediaType: ociManifest,
      digest: typed.digest,
      size: typed.content.length,
      artifactType: "application/x.one",
      annotations,
    };
    const second = {
      mediaType: ociManifest,
      digest: untyped.digest,
      size: untyped.content.length,
      artifactType: "application/vnd.oci.empty.v1+json",
    };
    const both = [first, second].sort((a, b) => (a.digest < b.digest ? -1 : 1));
    expect(await list()).toEqual({ filters: null, body: { schemaVersion: 2, mediaType: ociIndex, manifests: both } });
    const filtered = await list("?artifactType=application/x.one");
    expect(filtered).toMatchObject({ filters: "artifactType", body: { manifests: [first] } });
    await remove(`/v2/r/manifests/${typed.digest}`);
    expect(await list()).toMatchObject({ body: { manifests: [second] } });
  });

  test("may be there before the manifest is", async () => {
    const subject = { mediaType: ociManifest, digest: sha256("later"), size: 5 };
    const image = await pushImage(url, "r/early", "", { subject });
    const answer = await putManifest(url, "r/early", "again", image.content);
    expect(answer.headers.get("oci-subject")).toBe(subject.digest);
    expect(await (await get(`/v2/r/early/referrers/${subject.digest}`)).json()).toMatchObject({
      manifests: [{ digest: image.digest }],
    });
  });

  test("are none where there is no repository", async () => {
    expect(await (await get(`/v2/none/referrers/${sha256("x")}`)).json()).toMatchObject({ manifests: [] });
  });
});
