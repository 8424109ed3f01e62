import { afterAll, beforeAll, expect, test } from "vitest";
import { basic } from "../support/basic.ts";
import { digestOf, manifestType, startUpload } from "../support/registry-content.ts";
import { type Scene, secret, startScene } from "./scene.ts";

/** Alice uses what she may do in her own repository to come by what is Bob's, whose digests she knows. */

let scene: Scene;

beforeAll(async () => {
  scene = await startScene();
});

afterAll(() => scene.close());

async function manifestOfBob(): Promise<string> {
  const { bob, theirs } = scene;
  const headers = { ...bob.headers, Accept: manifestType };
  const response = await fetch(`${bob.url}/v2/bob/app/manifests/${theirs.manifest}`, { headers });
  return response.text();
}

/** Whether Alice's repository has what is Bob's. */
async function hasCome(): Promise<boolean> {
  const { theirs } = scene;
  const responses = await Promise.all([
    scene.send("GET", `/v2/alice/app/blobs/${theirs.blob}`),
    scene.send("HEAD", `/v2/alice/app/blobs/${theirs.blob}`),
    scene.send("GET", `/v2/alice/app/blobs/${theirs.blob}`, { Range: "bytes=0-9" }),
    scene.send("GET", `/v2/alice/app/manifests/${theirs.manifest}`, { Accept: manifestType }),
    scene.send("GET", `/v2/alice/app/manifests/stolen`, { Accept: manifestType }),
  ]);
  return responses.some(({ status, body }) => status < 400 || body.includes(secret));
}

test("a manifest that names Bob's layers is not taken, because they are not in her repository", async () => {
  const manifest = await manifestOfBob();
  for (const reference of ["stolen", scene.theirs.manifest]) {
    const target = `/v2/alice/app/manifests/${reference}`;
    const response = await scene.send("PUT", target, { "Content-Type": manifestType }, manifest);
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(response.body).toContain("BLOB_UNKNOWN");
  }
  expect(await hasCome()).toBe(false);
});

test("an index that names Bob's manifest is not taken either", async () => {
  const mediaType = "application/vnd.oci.image.index.v1+json";
  const manifests = [{ mediaType: manifestType, digest: scene.theirs.manifest, size: 500 }];
  const index = JSON.stringify({ schemaVersion: 2, mediaType, manifests });
  const response = await scene.send("PUT", "/v2/alice/app/manifests/stolen", { "Content-Type": mediaType }, index);
  expect(response.status).toBeGreaterThanOrEqual(400);
  expect(await hasCome()).toBe(false);
});

test("an upload that says it is Bob's layer must have its content", async () => {
  const { alice, theirs } = scene;
  for (const body of ["", "something else"]) {
    const location = await startUpload(alice, "alice/app");
    const target = `${location.pathname}${location.search}&digest=${theirs.blob}`;
    const response = await scene.send("PUT", target, {}, body);
    expect(response.status).toBe(400);
  }
  await scene.send("POST", `/v2/alice/app/blobs/uploads/?digest=${theirs.blob}`);
  expect(await hasCome()).toBe(false);
});

test("an upload of hers is not made Bob's by its path, its identifier or its state", async () => {
  const { alice, bobsUpload } = scene;
  const location = await startUpload(alice, "alice/app");
  const [own, state] = [location.pathname.split("/").at(-1) ?? "", location.search];
  const bobs = bobsUpload.pathname.split("/").at(-1) ?? "";
  const attempts = [
    `/v2/bob/app/blobs/uploads/${own}${state}`,
    `/v2/alice/app/blobs/uploads/${bobs}${state}`,
    `/v2/alice/app/blobs/uploads/${own}${bobsUpload.search}`,
  ];
  for (const target of attempts) {
    for (const method of ["GET", "PATCH", "DELETE"]) {
      const response = await scene.send(method, target, {}, method === "PATCH" ? "x" : "");
      expect(response.status, `${method} ${target}`).toBeGreaterThanOrEqual(400);
      scene.expectNothingOf(response);
    }
  }
  const status = await fetch(bobsUpload, { headers: scene.bob.headers });
  expect([status.status, status.headers.get("range")]).toEqual([204, "0-0"]);
});

test("names that begin or end like hers are not hers", async () => {
  for (const name of [
    "alice",
    "alicea/app",
    "alice-x/app",
    "alice_x/app",
    "alice.x/app",
    "x/alice/app",
    "xalice/app",
  ]) {
    expect((await scene.send("GET", `/v2/${name}/tags/list`)).status, name).toBe(403);
  }
});

test("a user whose name is a pattern or a path has no more than the name says", async () => {
  const users = { "**": "stars", "*": "stars", "b*b": "stars", "bob/app": "slash", "..": "dots" };
  for (const [username, password] of Object.entries(users)) {
    const headers = basic(username, `${password}-password`);
    expect((await scene.send("GET", "/v2/", headers)).status, username).toBe(200);
    for (const target of [
      `/v2/bob/app/blobs/${scene.theirs.blob}`,
      "/v2/bob/app/manifests/v1",
      "/v2/alice/app/tags/list",
    ]) {
      expect((await scene.send("GET", target, headers)).status, `${username} ${target}`).toBe(403);
    }
    expect((await scene.send("GET", "/v2/_catalog", headers)).body, username).toBe('{"repositories":[]}\n');
  }
});

test("lists of her own have no place for another's", async () => {
  const { theirs } = scene;
  for (const target of [
    "/v2/alice/app/tags/list?n=100&last=bob/app",
    "/v2/alice/app/tags/list?last=../../bob/app",
    `/v2/alice/app/referrers/${theirs.manifest}`,
    `/v2/alice/app/referrers/${theirs.manifest}?artifactType=bob`,
  ]) {
    const { status, body } = await scene.send("GET", target);
    expect([200, 404], target).toContain(status);
    expect(body, target).not.toContain(secret);
    expect(body, target).not.toContain('"bob/app"');
  }
  const tags = await scene.send("GET", "/v2/alice/app/tags/list");
  expect(JSON.parse(tags.body)).toEqual({ name: "alice/app", tags: ["v1"] });
  expect(digestOf(secret)).toBe(theirs.blob);
});
