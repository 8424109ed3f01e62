import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { basic } from "../support/basic.ts";
import { type DockerRegistry, startDockerRegistry } from "../support/docker-registry.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { passwordFile } from "../support/password-file.ts";
import { type Caller, configOf, digestOf, manifestOf, manifestType, pushImage } from "../support/registry-content.ts";

/** That an immutable tag cannot be undone by a delete, at a real registry. */

let registry: DockerRegistry;
let gate: RunningGate;
let admin: Caller;
let developer: Caller;

const indexType = "application/vnd.docker.distribution.manifest.list.v2+json";

beforeAll(async () => {
  registry = await startDockerRegistry();
  gate = await startGate({
    configuration: {
      listen: { address: "127.0.0.1:0" },
      upstream: { url: registry.url },
      auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
      access: [
        { subjects: ["user:admin"], repositories: ["**"], actions: ["*"] },
        {
          subjects: ["user:developer"],
          repositories: ["team/**"],
          actions: ["pull", "push", "delete"],
          immutableTags: ["v*"],
        },
      ],
    },
    files: { htpasswd: await passwordFile({ admin: "admin-password", developer: "developer-password" }) },
  });
  admin = { url: gate.url, headers: basic("admin", "admin-password") };
  developer = { url: gate.url, headers: basic("developer", "developer-password") };
});

afterAll(async () => {
  await gate.close();
  await registry.close();
});

/** @returns the status, and the code of an error. */
async function remove(caller: Caller, path: string): Promise<(string | number)[]> {
  const response = await fetch(`${caller.url}/v2/${path}`, { method: "DELETE", headers: caller.headers });
  const text = await response.text();
  return text === "" ? [response.status] : [response.status, JSON.parse(text).errors[0].code];
}

async function has(repository: string, reference: string): Promise<boolean> {
  const { status } = await fetch(`${gate.url}/v2/${repository}/manifests/${reference}`, {
    method: "HEAD",
    headers: { ...developer.headers, Accept: `${manifestType}, ${indexType}` },
  });
  return status === 200;
}

/** Pushes an index of images that are there. */
async function pushIndex(repository: string, tag: string, ...images: readonly string[]): Promise<string> {
  const body = JSON.stringify({
    schemaVersion: 2,
    mediaType: indexType,
    manifests: images.map((content, index) => ({
      mediaType: manifestType,
      digest: digestOf(manifestOf(content)),
      size: Buffer.byteLength(manifestOf(content)),
      platform: { os: "linux", architecture: `arch${index}` },
    })),
  });
  const response = await fetch(`${gate.url}/v2/${repository}/manifests/${tag}`, {
    method: "PUT",
    headers: { ...developer.headers, "Content-Type": indexType },
    body,
  });
  expect(response.status).toBe(201);
  return digestOf(body);
}

describe("what an immutable tag stands for", () => {
  test("refuses to delete an immutable tag by its name or digest, or to push it anew", async () => {
    const { manifest } = await pushImage(developer, "team/app", "v1", "first");
    await pushImage(developer, "team/app", "latest", "first");
    expect(await remove(developer, "team/app/manifests/v1")).toEqual([403, "DENIED"]);
    expect(await remove(developer, `team/app/manifests/${manifest}`)).toEqual([403, "DENIED"]);
    expect(await has("team/app", "v1")).toBe(true);
    await expect(pushImage(developer, "team/app", "v1", "second")).rejects.toThrow("403");
  });

  test("refuses to delete the blobs of an immutable tag", async () => {
    await pushImage(developer, "team/blobs", "v1", "a layer that stays");
    for (const digest of [digestOf("a layer that stays"), digestOf(configOf("a layer that stays"))]) {
      expect(await remove(developer, `team/blobs/blobs/${digest}`)).toEqual([403, "DENIED"]);
    }
    await pushImage(developer, "team/blobs", "dev", "a layer that goes");
    expect(await remove(developer, `team/blobs/blobs/${digestOf("a layer that goes")}`)).toEqual([202]);
  });

  test("refuses to delete the images of an immutable index", async () => {
    for (const content of ["for amd64", "for arm64", "for neither"]) {
      await pushImage(developer, "team/platforms", "scratch", content);
    }
    const index = await pushIndex("team/platforms", "v1", "for amd64", "for arm64");
    const digests = [index, digestOf(manifestOf("for amd64")), digestOf(manifestOf("for arm64"))];
    for (const digest of digests) {
      expect(await remove(developer, `team/platforms/manifests/${digest}`)).toEqual([403, "DENIED"]);
    }
    expect(await remove(developer, `team/platforms/blobs/${digestOf("for amd64")}`)).toEqual([403, "DENIED"]);
    expect(await remove(developer, `team/platforms/manifests/${digestOf(manifestOf("for neither"))}`)).toEqual([202]);
    for (const digest of digests) expect(await has("team/platforms", digest)).toBe(true);
  });

  test("deletes an immutable tag for a user whom another rule allows it without immutableTags", async () => {
    const { manifest } = await pushImage(developer, "team/cleaned", "v1", "first");
    expect(await remove(admin, `team/cleaned/manifests/${manifest}`)).toEqual([202]);
    expect(await has("team/cleaned", "v1")).toBe(false);
  });
});

test("deletes what no immutable tag refers to, in repositories with and without such tags", async () => {
  await pushImage(developer, "team/free", "v1", "released");
  const { manifest } = await pushImage(developer, "team/free", "dev", "not released");
  expect(await remove(developer, `team/free/manifests/${manifest}`)).toEqual([202]);
  expect([await has("team/free", "dev"), await has("team/free", "v1")]).toEqual([false, true]);
  const alone = await pushImage(developer, "team/alone", "dev", "alone");
  expect(await remove(developer, `team/alone/manifests/${alone.manifest}`)).toEqual([202]);
  // The registry still knows the repository, and that it has no tags.
  expect(await remove(developer, `team/alone/manifests/${alone.manifest}`)).toEqual([404, "MANIFEST_UNKNOWN"]);
  expect(await remove(developer, `team/absent/manifests/${alone.manifest}`)).toEqual([404, "MANIFEST_UNKNOWN"]);
});
