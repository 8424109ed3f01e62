import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type EmbeddedRegistry, startEmbeddedRegistry } from "@registry-gate/embedded-registry";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { basic } from "../support/basic.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { imageArchive, incompressible } from "../support/image-archive.ts";
import { passwordFile } from "../support/password-file.ts";
import { newSkopeoUser } from "../support/skopeo.ts";

/** Before a registry whose uploads have locations of its own. */

let registry: EmbeddedRegistry;
let gate: RunningGate;
const alice = basic("alice", "secret");
const bob = basic("bob", "secret");

beforeAll(async () => {
  registry = await startEmbeddedRegistry({ uploads: "opaque" });
  gate = await startGate({
    configuration: {
      listen: { address: "127.0.0.1:0" },
      upstream: { url: registry.url },
      auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
    },
    files: { htpasswd: await passwordFile({ alice: "secret", bob: "secret" }) },
  });
});

afterAll(async () => {
  await gate?.close();
  await registry?.close();
});

/** @returns the location, resolved as a client does. */
async function begin(repository: string): Promise<URL> {
  const url = `${gate.url}/v2/${repository}/blobs/uploads/`;
  const response = await fetch(url, { method: "POST", headers: alice });
  expect(response.status).toBe(202);
  return new URL(response.headers.get("location") ?? "", url);
}

test("skopeo pushes an image and pulls it again", async () => {
  const { skopeo, directory, close } = await newSkopeoUser("/dev/null");
  onTestFinished(close);
  const archive = join(directory, "image.tar");
  const image = imageArchive("app:v1", [{ "a.txt": "a" }, { "b.bin": incompressible(3_000_000) }]);
  await writeFile(archive, image);
  const host = new URL(gate.url).host;
  const options = ["--insecure-policy", "copy", "--dest-tls-verify=false", "--dest-creds", "alice:secret"];
  const pushed = await skopeo([...options, `docker-archive:${archive}`, `docker://${host}/team/app:v1`]);
  expect(pushed).toMatchObject({ code: 0 });
  const pull = ["--insecure-policy", "copy", "--src-tls-verify=false", "--src-creds", "bob:secret"];
  const pulled = await skopeo([...pull, `docker://${host}/team/app:v1`, `dir:${join(directory, "pulled")}`]);
  expect(pulled).toMatchObject({ code: 0 });
});

test("a blob comes in chunks, its progress is asked for, and it is finished", async () => {
  let location = await begin("team/chunks");
  const chunks = ["hello ", "world"];
  for (const body of chunks) {
    const response = await fetch(location, { method: "PATCH", headers: alice, body });
    expect(response.status).toBe(202);
    location = new URL(response.headers.get("location") ?? "", location);
    expect(location.pathname).toMatch(/^\/v2\/team\/chunks\/blobs\/uploads\/~[\w-]+$/);
  }
  const progress = await fetch(location, { headers: alice });
  expect(progress.headers.get("range")).toBe("0-10");
  const digest = `sha256:${createHash("sha256").update(chunks.join("")).digest("hex")}`;
  const finish = new URL(location);
  finish.searchParams.set("digest", digest);
  expect((await fetch(finish, { method: "PUT", headers: alice })).status).toBe(201);
  const blob = await fetch(`${gate.url}/v2/team/chunks/blobs/${digest}`, { headers: alice });
  expect(await blob.text()).toBe("hello world");
});

test.each([
  ["another user", (location: URL) => location, bob],
  ["another repository", (location: URL) => new URL(location.href.replace("team/app", "team/other")), alice],
  ["a changed character", (location: URL) => new URL(location.href.replace(/.$/, "A")), alice],
  ["a made-up place", (location: URL) => new URL(location.href.replace(/~.*$/, `~${"A".repeat(400)}`)), alice],
])("a location is unknown for %s, and the registry is not asked", async (_, change, headers) => {
  let location = await begin("team/app");
  while (location.href.endsWith("A")) location = await begin("team/app");
  const before = registry.requests.length;
  for (const method of ["PATCH", "PUT", "GET", "DELETE"]) {
    const body = method === "PATCH" ? { body: "x" } : {};
    const response = await fetch(change(location), { method, headers, ...body });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ errors: [{ code: "BLOB_UPLOAD_UNKNOWN" }] });
  }
  expect(registry.requests.length).toBe(before);
  expect((await fetch(location, { method: "DELETE", headers: alice })).status).toBe(204);
});
