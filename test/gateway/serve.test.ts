import { chmod, readFile, stat } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { basic } from "../support/basic.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { passwordFile } from "../support/password-file.ts";
import { type ScriptedUpstream, startUpstream } from "../support/upstream.ts";
import { runGate } from "./run-gate.ts";

const toClose: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const server of toClose.splice(0).reverse()) await server.close();
});

async function start(upstream: string, more: object = {}): Promise<RunningGate> {
  const gate = await startGate({
    configuration: {
      listen: { address: "127.0.0.1:0" },
      upstream: { url: upstream },
      auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
      ...more,
    },
    files: { htpasswd: await passwordFile({ alice: "canary-password-1" }) },
  });
  toClose.push(gate);
  return gate;
}

async function registry(): Promise<ScriptedUpstream> {
  const upstream = await startUpstream((incoming, response) => {
    incoming.resume();
    incoming.once("end", () => response.writeHead(200, { "Content-Type": "application/json" }).end('{"tags":[]}'));
  });
  toClose.push(upstream);
  return upstream;
}

test("starts without a reachable registry, and responds with 502 until it is up", async () => {
  const upstream = await registry();
  await upstream.close();
  toClose.pop();
  const gate = await start(upstream.url);
  const response = await fetch(`${gate.url}/v2/team/app/tags/list`, { headers: basic("alice", "canary-password-1") });
  expect(response.status).toBe(502);
  expect(await response.json()).toEqual({
    errors: [
      {
        code: "UNAVAILABLE",
        message: "the registry is unreachable",
        detail: { requestId: response.headers.get("x-request-id") },
      },
    ],
  });
});

test("what is not under /v2/ is not there", async () => {
  const gate = await start((await registry()).url);
  for (const path of ["/", "/v1/_ping", "/metrics", "/v2x/", "/favicon.ico"]) {
    expect((await fetch(gate.url + path)).status, path).toBe(404);
  }
});

test("a Unix socket is listened on, and its peer may be trusted", async () => {
  const upstream = await registry();
  const gate = await start(upstream.url, { listen: { address: "unix:gate.sock", trustedProxies: ["unix:"] } });
  const status = await new Promise((resolve, reject) => {
    request({
      socketPath: join(gate.directory, "gate.sock"),
      path: "/v2/",
      headers: basic("alice", "canary-password-1"),
    })
      .once("response", (response) => {
        response.resume();
        resolve(response.statusCode);
      })
      .once("error", reject)
      .end();
  });
  expect(status).toBe(200);
});

test("passwd adds a user whom the running gate lets in, keeps the file's mode, and the old password ends", async () => {
  const gate = await start((await registry()).url);
  const file = join(gate.directory, "htpasswd");
  await chmod(file, 0o640);
  const login = async (username: string, password: string): Promise<number> =>
    (await fetch(`${gate.url}/v2/`, { headers: basic(username, password) })).status;
  expect(await login("bob", "bob's password")).toBe(401);

  const added = await runGate(["passwd", file, "bob"], { input: "bob's password\n" });
  expect(added).toMatchObject({ code: 0, stderr: "" });
  expect((await stat(file)).mode & 0o777).toBe(0o640);
  expect(await readFile(file, "utf8")).toMatch(/^bob:\$2[by]\$/m);
  await expect.poll(() => login("bob", "bob's password")).toBe(200);
  expect(await login("alice", "canary-password-1")).toBe(200);

  await runGate(["passwd", file, "bob"], { input: "another password\n" });
  await expect.poll(() => login("bob", "another password")).toBe(200);
  expect(await login("bob", "bob's password")).toBe(401);
});

test("each request is one line that says who, what, why and how much", async () => {
  const gate = await start((await registry()).url, {
    access: [{ subjects: ["user:alice"], repositories: ["team/**"], actions: ["pull", "push"] }],
  });
  const headers = basic("alice", "canary-password-1");
  await fetch(`${gate.url}/v2/team/app/tags/list`, { headers });
  await fetch(`${gate.url}/v2/other/app/manifests/v1`, { headers });
  await fetch(`${gate.url}/v2/team/app/manifests/v1`, { method: "PUT", headers, body: "0123456789" });
  const line = (repository: string, operation: string) =>
    gate.logged(
      (entry) => entry.event === "request" && entry.repository === repository && entry.operation === operation,
    );

  expect(await line("team/app", "list-tags")).toMatchObject({
    method: "GET",
    client: "127.0.0.1",
    username: "alice",
    backend: "htpasswd",
    decision: "allowed",
    reason: "access[0]",
    status: 200,
    bytesSent: 11,
    milliseconds: expect.any(Number),
  });
  expect(await line("other/app", "get-manifest")).toMatchObject({
    reference: "v1",
    decision: "denied",
    reason: "no rule allows pull on other/app",
    status: 403,
  });
  expect(await line("team/app", "put-manifest")).toMatchObject({ status: 200, bytesReceived: 10 });
});

test("no log and no response holds a password, a token, an upload's state or the registry's address", async () => {
  const upstream = await registry();
  const gate = await start(upstream.url);
  const responses: string[] = [];
  const ask = async (path: string, init: RequestInit = {}): Promise<void> => {
    const response = await fetch(gate.url + path, init);
    responses.push(JSON.stringify(Object.fromEntries(response.headers)), await response.text());
  };
  await ask("/v2/", { headers: basic("alice", "canary-password-1") });
  await ask("/v2/", { headers: basic("alice", "canary-password-2") });
  await ask("/v2/", { headers: basic("canary-password-3", "x") }).catch(() => {});
  await ask("/v2/", { headers: { authorization: "Bearer canary-token" } });
  await ask("/v2/", { headers: { authorization: "Basic canary-malformed" } });
  await ask("/v2/", { headers: { cookie: "session=canary-cookie" } });
  const upload = "/v2/team/app/blobs/uploads/0f0c5ff3-2f2f-4f2f-9f2f-0f0c5ff32f2f?_state=canary-state";
  await ask(upload, { method: "PATCH", headers: basic("alice", "canary-password-1"), body: "canary-body" });
  await ask(upload, { method: "PATCH", headers: basic("alice", "canary-password-2"), body: "canary-body" });
  await ask(`${upload}&_state=canary-again`, { method: "DELETE", headers: basic("alice", "canary-password-1") });
  await upstream.close();
  toClose.splice(toClose.indexOf(upstream), 1);
  await ask("/v2/team/app/tags/list", { headers: basic("alice", "canary-password-1") });
  await gate.logged(({ event, status }) => event === "request" && status === 502);

  const told = responses.join("\n");
  expect(told).not.toContain("canary");
  expect(told).not.toContain(new URL(upstream.url).host);
  // Somebody typed it in the place of a name, which `log.attemptedNames: false` keeps out of the log.
  const logged = gate.output().replaceAll('"attemptedUsername":"canary-password-3"', "");
  expect(logged).not.toContain("canary");
  expect(logged).not.toContain(Buffer.from("alice:canary-password-1").toString("base64"));
  expect(logged.match(/"event":"request"/g)?.length).toBe(10);
});
