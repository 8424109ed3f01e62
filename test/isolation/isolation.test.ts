import { request as httpRequest } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { basic } from "../support/basic.ts";
import { type DockerRegistry, startDockerRegistry } from "../support/docker-registry.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { passwordFile } from "../support/password-file.ts";
import { type Caller, digestOf, type PushedImage, pushImage, startUpload } from "../support/registry-content.ts";

/** Alice tries on Bob's private repository whatever may be tried. `ghost` is a user's repository that does not exist. */
const secret = "canary: what only Bob may read";

let registry: DockerRegistry;
let gate: RunningGate;
let alice: Caller;
let bob: Caller;
let theirs: PushedImage;
let bobsUpload: URL;

beforeAll(async () => {
  registry = await startDockerRegistry();
  gate = await startGate({
    configuration: {
      listen: { address: "127.0.0.1:0" },
      upstream: { url: registry.url },
      auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
      access: [{ subjects: ["authenticated"], repositories: ["$" + "{username}/**"], actions: ["*"] }],
    },
    files: { htpasswd: await passwordFile({ alice: "alice-password", bob: "bob-password" }) },
  });
  alice = { url: gate.url, headers: basic("alice", "alice-password") };
  bob = { url: gate.url, headers: basic("bob", "bob-password") };
  theirs = await pushImage(bob, "bob/app", "v1", secret);
  await pushImage(alice, "alice/app", "v1", "what is Alice's own");
  bobsUpload = await startUpload(bob, "bob/app");
});

afterAll(async () => {
  await gate.close();
  await registry.close();
});

interface Answer {
  readonly status: number;
  readonly headers: string;
  readonly body: string;
}

/** Sends the target and the headers just as they are written. */
function send(method: string, target: string, headers: object = {}, body = ""): Promise<Answer> {
  const { hostname: host, port } = new URL(gate.url);
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      ...{ host, port, method, path: target },
      headers: { ...alice.headers, ...(body === "" ? {} : { "Content-Length": Buffer.byteLength(body) }), ...headers },
    });
    request.once("response", (response) => {
      let text = "";
      response.setEncoding("latin1").on("data", (piece: string) => {
        text += piece;
      });
      response.once("end", () => {
        const { date: _, ...rest } = response.headers;
        resolve({ status: response.statusCode ?? 0, headers: JSON.stringify(rest), body: text });
      });
    });
    request.once("error", reject);
    request.end(body);
  });
}

/** Nothing of what is Bob's stands in an answer. */
function expectNothingOf({ headers, body }: Answer): void {
  for (const canary of ["bob", secret, theirs.blob, theirs.manifest]) {
    expect(headers).not.toContain(canary);
    expect(body).not.toContain(canary);
  }
}

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
  ];

  test.each(operations)("%s %s is denied, and alike for what is there and what is not", async (method, path, body) => {
    const real = await send(method, path(theirs), {}, body);
    const ghost = { ...theirs, repository: "ghost/app" };
    const absent = await send(method, path({ ...ghost, blob: missing, manifest: missing }), {}, body);
    expect(real).toEqual(absent);
    expect(real.status).toBe(403);
    expectNothingOf(real);
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
        const answer = await send("GET", way);
        expect([400, 403, 404], way).toContain(answer.status);
        expect(answer.body, way).not.toContain(secret);
        expect(answer.body, way).not.toContain('"name":"bob/app"');
        expect(answer.headers, way).not.toContain("Location");
      }
    }
  });

  test("of one's own leads to nothing of another's", async () => {
    for (const target of [
      `/v2/alice/app/blobs/${theirs.blob}`,
      `/v2/alice/app/manifests/${theirs.manifest}`,
      `/v2/alice/bob/app/manifests/${theirs.tag}`,
      `/v2/alice/app/manifests/${theirs.tag}?name=bob/app&repository=bob/app&from=bob/app`,
    ]) {
      const answer = await send("GET", target);
      expect(answer.body).not.toContain(secret);
      expect(answer.body).not.toContain("config of canary");
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
    const answer = await send("GET", target, headers);
    expect(answer.status).toBe(403);
    expectNothingOf(answer);
    const own = await send("GET", "/v2/alice/app/tags/list", headers);
    expect(own.body).not.toContain("bob");
  });

  test("with two users are refused", async () => {
    const both = [alice.headers.authorization, bob.headers.authorization];
    const answer = await send("GET", target, { authorization: both });
    expect(answer.status).toBe(400);
    expectNothingOf(answer);
  });

  test("with a name that is made to look like another's are refused", async () => {
    for (const name of ["alice/../bob", "bob/", "alice,bob", "*", "**", "bob\u0000", " bob", "ｂｏｂ"]) {
      const answer = await send("GET", target, basic(name, "alice-password"));
      expect(answer.status, name).toBe(401);
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
        const answer = await send(method, target, {}, method === "GET" || method === "DELETE" ? "" : "x");
        expect(answer.status, `${method} ${repository}`).toBeGreaterThanOrEqual(400);
        expect(answer.body).not.toContain("bob/app");
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
      const answer = await send("POST", `/v2/alice/app/blobs/uploads/?${parameters}`);
      expect(answer.status, parameters).toBe(202);
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
      const answer = await send("GET", `/v2/_catalog${query}`);
      expect(answer.status).toBe(200);
      expectNothingOf(answer);
    }
    expect((await send("GET", "/v2/_catalog")).body).toBe('{"repositories":["alice/app"]}\n');
  });
});

test("after all that, what is Bob's is as it was", async () => {
  const blob = await fetch(`${gate.url}/v2/bob/app/blobs/${theirs.blob}`, { headers: bob.headers });
  expect(await blob.text()).toBe(secret);
  const manifest = await fetch(`${gate.url}/v2/bob/app/manifests/v1`, {
    headers: { ...bob.headers, Accept: "application/vnd.docker.distribution.manifest.v2+json" },
  });
  expect(digestOf(await manifest.text())).toBe(theirs.manifest);
});
