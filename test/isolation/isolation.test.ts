import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { basic } from "../support/basic.ts";
import { type Caller, digestOf, type PushedImage } from "../support/registry-content.ts";
import { type Response, type Scene, secret, startScene } from "./scene.ts";

/** Alice tries on Bob's private repository whatever may be tried. `gho` is a user whose repository does not exist. */

let scene: Scene;
let alice: Caller;
let bob: Caller;
let theirs: PushedImage;
let bobsUpload: URL;

beforeAll(async () => {
  scene = await startScene();
  ({ alice, bob, theirs, bobsUpload } = scene);
});

afterAll(() => scene.close());

const send: Scene["send"] = (...request) => scene.send(...request);
const expectNothingOf = (response: Response): void => scene.expectNothingOf(response);

const missing = digestOf("there is no such thing");

describe("every operation of the API", () => {
  const operations: [method: string, path: (image: PushedImage) => string, body?: string][] = [
    ["GET", ({ repository }) => `/v2/${repository}/tags/list`],
    ["HEAD", ({ repository, tag }) => `/v2/${repository}/manifests/${tag}`],
    ["GET", ({ repository, tag }) => `/v2/${repository}/manifests/${tag}`],
    ["GET", ({ repository, manifest }) => `/v2/${repository}/manifests/${manifest}`],
    ["PUT", ({ repository, tag }) => `/v2/${repository}/manifests/${tag}`, "{}"],
    ["DELETE", ({ repository, manifest }) => `/v2/${repository}/manifests/${manifest}`],
    ["HEAD", ({ repository, blob }) => `/v2/${repository}/blobs/${blob}`],
    ["GET", ({ repository, blob }) => `/v2/${repository}/blobs/${blob}`],
    ["DELETE", ({ repository, blob }) => `/v2/${repository}/blobs/${blob}`],
    ["POST", ({ repository }) => `/v2/${repository}/blobs/uploads/`],
    ["POST", ({ repository, blob }) => `/v2/${repository}/blobs/uploads/?digest=${blob}`, secret],
    ["GET", ({ repository }) => `/v2/${repository}/blobs/uploads/3304fa85-fef2-40a1-890e-c8e89458efd2`],
    ["PATCH", ({ repository }) => `/v2/${repository}/blobs/uploads/3304fa85-fef2-40a1-890e-c8e89458efd2`, "x"],
    [
      "PUT",
      ({ repository, blob }) => `/v2/${repository}/blobs/uploads/3304fa85-fef2-40a1-890e-c8e89458efd2?digest=${blob}`,
    ],
    ["DELETE", ({ repository }) => `/v2/${repository}/blobs/uploads/3304fa85-fef2-40a1-890e-c8e89458efd2`],
    ["GET", ({ repository, manifest }) => `/v2/${repository}/referrers/${manifest}`],
    ["HEAD", ({ repository, manifest }) => `/v2/${repository}/referrers/${manifest}`],
    ["HEAD", ({ repository }) => `/v2/${repository}/tags/list`],
    ["GET", ({ repository }) => `/v2/${repository}/tags/list?n=1&last=a`],
    ["PUT", ({ repository, manifest }) => `/v2/${repository}/manifests/${manifest}?tag=v1&tag=v2`, "{}"],
    ["DELETE", ({ repository, tag }) => `/v2/${repository}/manifests/${tag}`],
    ["POST", ({ repository, blob }) => `/v2/${repository}/blobs/uploads/?mount=${blob}&from=alice/app`],
    ["HEAD", ({ repository }) => `/v2/${repository}/blobs/uploads/3304fa85-fef2-40a1-890e-c8e89458efd2?_state=x`],
  ];

  test.each(operations)("%s %s is denied, and alike for what is there and what is not", async (method, path, body) => {
    const real = await send(method, path(theirs), {}, body);
    const ghost = { ...theirs, repository: "gho/app" };
    const absent = await send(method, path({ ...ghost, blob: missing, manifest: missing }), {}, body);
    // But for the name that was asked for, which the denial repeats.
    expect({ ...real, body: real.body.replaceAll('"name":"bob/app"', '"name":"gho/app"') }).toEqual(absent);
    expect(real.status).toBe(403);
    expectNothingOf(real);
  });

  test.each(operations)("%s %s gets the same response without a login, too", async (method, path, body) => {
    const nobody = { authorization: undefined };
    const real = await send(method, path(theirs), nobody, body);
    const absent = await send(method, path({ ...theirs, repository: "gho/app", blob: missing }), nobody, body);
    expect({ ...real, body: real.body.replaceAll('"name":"bob/app"', '"name":"gho/app"') }).toEqual(absent);
    expect(real.status).toBe(401);
    expectNothingOf(real);
  });

  test("HEAD reveals no more than GET", async () => {
    for (const target of ["/v2/bob/app/manifests/v1", `/v2/bob/app/blobs/${theirs.blob}`, "/v2/bob/app/tags/list"]) {
      const [head, get] = [await send("HEAD", target), await send("GET", target)];
      expect({ ...head, body: get.body }).toEqual(get);
    }
  });
});

describe("the path", () => {
  const ways = (target: string): string[] => [
    target.replace("/v2/", "/%762/"),
    target.replace("/v2/", "/V2/"),
    target.replace("/v2/", "//v2/"),
    target.replace("/v2/", "/v2//"),
    target.replace("/v2/", "/./v2/"),
    target.replace("/v2/", "/v2/alice/../"),
    target.replace("/v2/", "/v2/alice/app/../../"),
    target.replace("/v2/", "/v2/alice/%2e%2e/"),
    target.replace("/v2/", "/v2/alice/..%2f"),
    target.replace("/v2/", "/v2/alice%2f..%2f"),
    target.replace("/v2/", "/v2/alice\\..\\"),
    target.replace("/v2/", "/v2/alice/..;/"),
    target.replace("/v2/", "/v2/alice;/"),
    target.replace("/v2/", "/v2/alice%00/"),
    target.replace("/v2/", "/x/../v2/"),
    target.replace("bob", "%62ob"),
    target.replace("bob", "%2562ob"),
    target.replace("bob", "BOB"),
    target.replace("bob/app", "bob%2fapp"),
    target.replace("bob/app", "bob%252fapp"),
    target.replace("bob/app", "bob%5capp"),
    `${target}/../../../../alice/app/tags/list`,
    `${target}#/v2/alice/app/tags/list`,
    `${target}?name=alice/app`,
    `${target};alice`,
    `${target}%20`,
    `${target}/`,
    `http://localhost${target}`,
    `http://alice@127.0.0.1${target}`,
  ];

  test("is understood in one way, whatever is written", async () => {
    for (const target of [
      `/v2/bob/app/manifests/${theirs.tag}`,
      `/v2/bob/app/blobs/${theirs.blob}`,
      "/v2/bob/app/tags/list",
    ]) {
      for (const way of ways(target)) {
        const response = await send("GET", way);
        expect([400, 403, 404], way).toContain(response.status);
        expect(response.body, way).not.toContain(secret);
        expectNothingOf(response);
        expect(response.headers, way).not.toContain("Location");
      }
    }
  });

  test("of her own repository leads to nothing of another user's", async () => {
    for (const target of [
      `/v2/alice/app/blobs/${theirs.blob}`,
      `/v2/alice/app/manifests/${theirs.manifest}`,
      `/v2/alice/bob/app/manifests/${theirs.tag}`,
      `/v2/alice/app/manifests/${theirs.tag}?name=bob/app&repository=bob/app&from=bob/app`,
    ]) {
      const response = await send("GET", target);
      expect(response.body).not.toContain(secret);
      expect(response.body).not.toContain("config of canary");
    }
    expect((await send("GET", `/v2/alice/app/blobs/${theirs.blob}`)).status).toBe(404);
    expect((await send("GET", `/v2/alice/app/manifests/${theirs.manifest}`)).status).toBe(404);
  });
});

describe("headers", () => {
  const target = `/v2/bob/app/manifests/v1`;
  const tricks: [name: string, headers: object][] = [
    ["a target for another proxy", { "X-Original-URL": target, "X-Rewrite-URL": target, "X-Forwarded-Uri": target }],
    ["another method", { "X-HTTP-Method-Override": "GET", "X-HTTP-Method": "GET", "X-Method-Override": "GET" }],
    [
      "another user",
      { "X-Forwarded-User": "bob", "Remote-User": "bob", "X-Remote-User": "bob", "X-Webauth-User": "bob" },
    ],
    ["another user by underscores", { X_Forwarded_User: "bob", Remote_User: "bob" }],
    ["a header to be dropped on the way", { Connection: "authorization, x-forwarded-user" }],
    ["a trusted address", { "X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1", Forwarded: "for=127.0.0.1" }],
  ];

  test.each(tricks)("with %s change nothing", async (_, headers) => {
    const response = await send("GET", target, headers);
    expect(response.status).toBe(403);
    expectNothingOf(response);
    const own = await send("GET", "/v2/alice/app/tags/list", headers);
    expect(own.body).not.toContain("bob");
  });

  test("with two users are refused", async () => {
    const both = [alice.headers.authorization, bob.headers.authorization];
    const response = await send("GET", target, { authorization: both });
    expect(response.status).toBe(400);
    expectNothingOf(response);
  });

  test("with a name that is made to look like another's are refused", async () => {
    for (const name of ["alice/../bob", "bob/", "alice,bob", "*", "**", "bob\u0000", " bob", "ｂｏｂ"]) {
      const response = await send("GET", target, basic(name, "alice-password"));
      expect(response.status, name).toBe(401);
    }
  });
});

describe("uploads", () => {
  test("cannot be continued by another, whatever state is brought along", async () => {
    const state = bobsUpload.searchParams.get("_state") ?? "";
    const id = bobsUpload.pathname.split("/").at(-1);
    for (const repository of ["bob/app", "alice/app"]) {
      for (const method of ["GET", "PATCH", "PUT", "DELETE"]) {
        const digest = method === "PUT" ? `&digest=${digestOf("x")}` : "";
        const target = `/v2/${repository}/blobs/uploads/${id}?_state=${encodeURIComponent(state)}${digest}`;
        const response = await send(method, target, {}, method === "GET" || method === "DELETE" ? "" : "x");
        expect(response.status, `${method} ${repository}`).toBeGreaterThanOrEqual(400);
        expectNothingOf(response);
      }
    }
    const status = await fetch(bobsUpload, { headers: bob.headers });
    expect(status.status).toBe(204);
    expect(status.headers.get("range")).toBe("0-0");
  });

  test("do not take over another's blob: a mount becomes an upload that has nothing in it", async () => {
    for (const parameters of [
      `mount=${theirs.blob}&from=bob/app`,
      `mount=${theirs.blob}&from=bob%2Fapp`,
      `from=bob/app&mount=${theirs.blob}`,
      `mount=${theirs.blob}`,
      `%6dount=${theirs.blob}&fro%6d=bob/app`,
    ]) {
      const response = await send("POST", `/v2/alice/app/blobs/uploads/?${parameters}`);
      expect(response.status, parameters).toBe(202);
    }
    for (const parameters of [
      `mount=${theirs.blob}&from=alice/app&from=bob/app`,
      `mount=${theirs.blob}&from=bob/../bob/app`,
    ]) {
      expect((await send("POST", `/v2/alice/app/blobs/uploads/?${parameters}`)).status, parameters).toBe(400);
    }
    const form = { "Content-Type": "application/x-www-form-urlencoded" };
    const body = `mount=${theirs.blob}&from=bob/app`;
    expect((await send("POST", "/v2/alice/app/blobs/uploads/", form, body)).status).toBe(415);
    expect((await send("GET", `/v2/alice/app/blobs/${theirs.blob}`)).status).toBe(404);
  });
});

describe("lists", () => {
  test("name nothing of another's, whatever page is asked for", async () => {
    for (const query of [
      "",
      "?n=1",
      "?n=100",
      "?last=a",
      "?last=alice/app",
      "?last=bob/ap",
      "?last=bob/app&n=1",
      "?n=1&last=alice",
    ]) {
      const response = await send("GET", `/v2/_catalog${query}`);
      expect(response.status).toBe(200);
      expectNothingOf(response);
    }
    expect((await send("GET", "/v2/_catalog")).body).toBe('{"repositories":["alice/app"]}\n');
  });
});

test("after all that, what is Bob's is as it was", async () => {
  const blob = await fetch(`${scene.gate.url}/v2/bob/app/blobs/${theirs.blob}`, { headers: bob.headers });
  expect(await blob.text()).toBe(secret);
  const manifest = await fetch(`${scene.gate.url}/v2/bob/app/manifests/v1`, {
    headers: { ...bob.headers, Accept: "application/vnd.docker.distribution.manifest.v2+json" },
  });
  expect(digestOf(await manifest.text())).toBe(theirs.manifest);
});
