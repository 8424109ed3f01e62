import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { basic } from "../support/basic.ts";
import { type DockerRegistry, startDockerRegistry } from "../support/docker-registry.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { passwordFile } from "../support/password-file.ts";
import { type Caller, digestOf, type PushedImage, pushImage } from "../support/registry-content.ts";

let registry: DockerRegistry;
let gate: RunningGate;
let admin: Caller;
let developer: Caller;
let shared: PushedImage;
let hidden: PushedImage;

const mediaType = "application/vnd.docker.distribution.manifest.v2+json";

beforeAll(async () => {
  registry = await startDockerRegistry();
  gate = await startGate({
    configuration: {
      listen: { address: "127.0.0.1:0" },
      upstream: { url: registry.url },
      auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
      access: [
        { subjects: ["user:admin"], repositories: ["**"], actions: ["*"] },
        { subjects: ["user:developer"], repositories: ["shared/**"], actions: ["pull"] },
        {
          subjects: ["user:developer"],
          repositories: ["team/**"],
          actions: ["pull", "push"],
          immutableTags: ["v*", "release-*"],
        },
      ],
    },
    files: { htpasswd: await passwordFile({ admin: "admin-password", developer: "developer-password" }) },
  });
  admin = { url: gate.url, headers: basic("admin", "admin-password") };
  developer = { url: gate.url, headers: basic("developer", "developer-password") };
  shared = await pushImage(admin, "shared/base", "v1", "a layer for everybody");
  hidden = await pushImage(admin, "hidden/base", "v1", "a layer for few");
});

afterAll(async () => {
  await gate.close();
  await registry.close();
});

function post(repository: string, query: string, more: RequestInit = {}): Promise<Response> {
  const url = `${gate.url}/v2/${repository}/blobs/uploads/${query}`;
  return fetch(url, { method: "POST", ...more, headers: { ...developer.headers, ...more.headers } });
}

async function has(repository: string, blob: string): Promise<boolean> {
  const response = await fetch(`${gate.url}/v2/${repository}/blobs/${blob}`, {
    method: "HEAD",
    headers: admin.headers,
  });
  return response.status === 200;
}

describe("a mount", () => {
  test("from a repository that the caller may pull takes the blob over", async () => {
    const response = await post("team/mounted", `?mount=${shared.blob}&from=shared/base`);
    expect(response.status).toBe(201);
    expect(response.headers.get("docker-content-digest")).toBe(shared.blob);
    expect(await has("team/mounted", shared.blob)).toBe(true);
  });

  test("from a repository that the caller may not pull becomes an upload, so that the push goes on", async () => {
    const response = await post("team/uploaded", `?mount=${hidden.blob}&from=hidden/base`);
    expect(response.status).toBe(202);
    expect(response.headers.get("location")).toMatch(/\/v2\/team\/uploaded\/blobs\/uploads\/[0-9a-f-]{36}\?_state=/);
    expect(await has("team/uploaded", hidden.blob)).toBe(false);
  });

  test("from a repository that does not exist is answered in the same way", async () => {
    const forbidden = await post("team/uploaded", `?mount=${hidden.blob}&from=hidden/base`);
    const absent = await post("team/uploaded", `?mount=${hidden.blob}&from=hidden/absent`);
    expect([...absent.headers.keys()]).toEqual([...forbidden.headers.keys()]);
    expect(absent.status).toBe(forbidden.status);
  });

  test("without a source is dropped, so that no blob of another's is found by its digest", async () => {
    expect((await post("team/discovered", `?mount=${hidden.blob}`)).status).toBe(202);
    expect(await has("team/discovered", hidden.blob)).toBe(false);
  });

  test.each(["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])(
    "in a body of the type %s is refused",
    async (type) => {
      const body = `mount=${hidden.blob}&from=hidden/base`;
      const response = await post("team/form", "", { headers: { "Content-Type": type }, body });
      expect(response.status).toBe(415);
      expect(await has("team/form", hidden.blob)).toBe(false);
    },
  );

  test("into a repository that the caller may not push to is denied", async () => {
    expect((await post("shared/base", `?mount=${shared.blob}&from=shared/base`)).status).toBe(403);
  });
});

describe("an immutable tag", () => {
  async function put(caller: Caller, repository: string, reference: string, note: string): Promise<Response> {
    const image = await pushImage(admin, repository, "scratch", note);
    const manifest = await fetch(`${gate.url}/v2/${repository}/manifests/${image.manifest}`, {
      headers: { ...admin.headers, Accept: mediaType },
    });
    return fetch(`${gate.url}/v2/${repository}/manifests/${reference}`, {
      method: "PUT",
      headers: { ...caller.headers, "Content-Type": mediaType },
      body: await manifest.text(),
    });
  }

  test("is created once and not overwritten, with a message that says why", async () => {
    expect((await put(developer, "team/app", "v1.0", "first")).status).toBe(201);
    const second = await put(developer, "team/app", "v1.0", "second");
    expect(second.status).toBe(403);
    expect(await second.json()).toEqual({
      errors: [
        {
          code: "DENIED",
          message: "the tag v1.0 exists and is immutable",
          detail: { requestId: second.headers.get("x-request-id") },
        },
      ],
    });
    const kept = await fetch(`${gate.url}/v2/team/app/manifests/v1.0`, {
      headers: { ...developer.headers, Accept: mediaType },
    });
    expect(await kept.text()).toContain(digestOf("first"));
  });

  test("is distinguished from tags that no pattern matches", async () => {
    for (const note of ["first", "second"]) {
      expect((await put(developer, "team/app", "latest", note)).status).toBe(201);
      expect((await put(developer, "team/app", "dev-v1", note)).status).toBe(201);
    }
  });

  test("may be overwritten by whom another rule lets push without the limit", async () => {
    await put(developer, "team/app", "release-1", "first");
    expect((await put(admin, "team/app", "release-1", "second")).status).toBe(201);
  });

  test("is of its repository alone", async () => {
    expect((await put(developer, "team/one", "v1", "one")).status).toBe(201);
    expect((await put(developer, "team/two", "v1", "two")).status).toBe(201);
  });
});
