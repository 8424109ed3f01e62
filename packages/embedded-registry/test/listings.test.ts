import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { EmbeddedRegistry } from "../src/index.ts";
import { startEmbeddedRegistry } from "../src/index.ts";
import { errorCode, pushBlob, pushImage, putManifest, rawRequest } from "./registry-client.ts";

let registry: EmbeddedRegistry;
let url: string;

beforeAll(async () => {
  registry = await startEmbeddedRegistry();
  url = registry.url;
  for (const name of ["b", "a/b", "a", "a-b", "a/manifests/b"]) await pushBlob(url, name, "content");
  const image = await pushImage(url, "tagged", "v2");
  for (const tag of ["v10", "B", "a", "_"]) await putManifest(url, "tagged", tag, image.content);
});
afterAll(() => registry.close());

const get = (path: string) => fetch(`${url}${path}`);

/** Follows `Link` to the end. */
async function pages(path: string): Promise<unknown[]> {
  const bodies: unknown[] = [];
  for (let next: string | undefined = path; next !== undefined; ) {
    const answer: Response = await get(next);
    bodies.push(await answer.json());
    next = /^<(\/v2\/[^>]+)>; rel="next"$/.exec(answer.headers.get("link") ?? "")?.[1];
  }
  return bodies;
}

describe("the catalog", () => {
  const all = ["a", "a-b", "a/b", "a/manifests/b", "b", "tagged"];

  test("names every repository into which something was pushed", async () => {
    expect(await pages("/v2/_catalog")).toEqual([{ repositories: all }]);
  });

  test("comes in pages", async () => {
    expect(await pages("/v2/_catalog?n=4")).toEqual([
      { repositories: all.slice(0, 4) },
      { repositories: all.slice(4) },
    ]);
    expect(await pages("/v2/_catalog?n=3&last=a")).toEqual([
      { repositories: all.slice(1, 4) },
      { repositories: all.slice(4) },
    ]);
    expect(await pages("/v2/_catalog?last=zzz")).toEqual([{ repositories: [] }]);
  });

  test.each(["x", "-1", "1.5", "1001"])("cannot be had with n=%s", async (n) => {
    const answer = await get(`/v2/_catalog?n=${n}`);
    expect([answer.status, await errorCode(answer)]).toEqual([400, "PAGINATION_NUMBER_INVALID"]);
  });
});

describe("the tags of a repository", () => {
  const all = ["B", "_", "a", "v10", "v2"];

  test("are sorted", async () => {
    expect(await pages("/v2/tagged/tags/list")).toEqual([{ name: "tagged", tags: all }]);
  });

  test("come in pages", async () => {
    const tags = (await pages("/v2/tagged/tags/list?n=2")).map((body) => body);
    expect(tags).toEqual(
      [all.slice(0, 2), all.slice(2, 4), all.slice(4)].map((page) => ({ name: "tagged", tags: page })),
    );
    expect(await pages("/v2/tagged/tags/list?n=0")).toEqual([{ name: "tagged", tags: [] }]);
    expect(await pages("/v2/tagged/tags/list?n=9&last=a")).toEqual([{ name: "tagged", tags: ["v10", "v2"] }]);
  });

  test("are none where only blobs were pushed, and unknown where nothing was", async () => {
    expect(await pages("/v2/a/tags/list")).toEqual([{ name: "a", tags: [] }]);
    const answer = await get("/v2/a/manifests/tags/list");
    expect([answer.status, await errorCode(answer)]).toEqual([404, "NAME_UNKNOWN"]);
  });
});

describe("a path", () => {
  test.each(["/v2/", "/v2", "http://anything/v2/"])("%s is the ping", async (path) => {
    const answer = await rawRequest(url, "GET", path);
    expect([answer.status, answer.headers["docker-distribution-api-version"], answer.body.toString().trim()]).toEqual([
      200,
      "registry/2.0",
      "{}",
    ]);
  });

  test.each([
    ["/", 404],
    ["/v1/", 404],
    ["/v2/a", 404],
    ["/v2//tags/list", 400],
    ["/v2/A/tags/list", 400],
    ["/v2/a/../b/tags/list", 400],
    ["/v2/a%2fb/../tags/list", 400],
    ["/v2/%zz/tags/list", 400],
    ["/v2/a/manifests/-x", 400],
    ["/v2/a/manifests/sha256:x", 400],
    ["/v2/a/blobs/x", 400],
  ])("%s is answered %i", async (path, status) => {
    const answer = await rawRequest(url, "GET", path);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body.toString())).toMatchObject({ errors: [{ code: expect.any(String) }] });
  });

  test("is understood from its right end", async () => {
    const image = await pushImage(url, "x/manifests/y/blobs", "tags");
    const answer = await get("/v2/x/manifests/y/blobs/manifests/tags");
    expect([answer.status, answer.headers.get("docker-content-digest")]).toEqual([200, image.digest]);
  });

  test("with a method that it does not know says which it knows", async () => {
    const answer = await rawRequest(url, "POST", "/v2/a/manifests/x");
    expect([answer.status, answer.headers.allow]).toEqual([405, "GET, HEAD, PUT, DELETE"]);
  });
});

describe("a listing whose pages the registry names itself", () => {
  let opaque: EmbeddedRegistry;
  beforeAll(async () => {
    opaque = await startEmbeddedRegistry({ pages: "opaque" });
    for (const name of ["a", "b"]) {
      const image = await pushImage(opaque.url, name, "1");
      for (const tag of ["2", "3"]) await putManifest(opaque.url, name, tag, image.content);
    }
  });
  afterAll(() => opaque.close());

  const nextOf = (answer: Response): string =>
    /^<([^>]+)>; rel="next"$/.exec(answer.headers.get("link") ?? "")?.[1] ?? "";

  test("goes on by an absolute link, with a token and without last", async () => {
    const first = await fetch(`${opaque.url}/v2/a/tags/list?n=2`);
    expect(await first.json()).toEqual({ name: "a", tags: ["1", "2"] });
    const next = new URL(nextOf(first));
    expect([next.origin, next.pathname, next.searchParams.get("n")]).toEqual([opaque.url, "/v2/a/tags/list", "2"]);
    const second = await fetch(next);
    expect(await second.json()).toEqual({ name: "a", tags: ["3"] });
    expect(second.headers.get("link")).toBeNull();
    // Whoever goes on by the last name begins anew.
    expect(await (await fetch(`${opaque.url}/v2/a/tags/list?n=2&last=2`)).json()).toEqual({
      name: "a",
      tags: ["1", "2"],
    });
  });

  test("takes a token for no other listing", async () => {
    const { search } = new URL(nextOf(await fetch(`${opaque.url}/v2/a/tags/list?n=2`)));
    for (const path of ["/v2/b/tags/list", "/v2/_catalog"]) {
      expect((await fetch(`${opaque.url}${path}${search}`)).status).toBe(400);
    }
    expect((await fetch(`${opaque.url}/v2/a/tags/list?next_page=x`)).status).toBe(400);
  });
});
