import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { importsOf } from "../architecture/imports.ts";
import { type DockerRegistry, startDockerRegistry } from "../support/docker-registry.ts";
import { type GateSettings, type RunningGate, startGate } from "../support/gate.ts";
import { passwordFile } from "../support/password-file.ts";
import { pushImage } from "../support/registry-content.ts";
import { run } from "../support/run.ts";
import { type Answer, visitor } from "../support/visitor.ts";
import { refreshed, type TokenAnswer, tokenFor } from "../tokens/token-client.ts";

let registry: DockerRegistry;
let htpasswd: string;
const passwords = { alice: "alice's canary", bob: "bob's canary" };
beforeAll(async () => {
  registry = await startDockerRegistry();
  await pushImage({ url: registry.url, headers: {} }, "team/app", "latest", "content");
  htpasswd = await passwordFile(passwords);
});
afterAll(() => registry?.close());

const configurationOf = (more: object = {}, portal: object = {}) => ({
  listen: { address: "127.0.0.1:0" },
  upstream: { url: registry.url },
  auth: { backends: [{ type: "access-token" }, { type: "htpasswd", file: "htpasswd", groupFile: "groups" }] },
  access: [
    { subjects: ["authenticated"], repositories: ["team/**"], actions: ["pull"] },
    { subjects: ["group:pushers"], repositories: ["team/app"], actions: ["push"] },
  ],
  portal: { title: "Images & more", adminGroups: ["admins"], cookie: { secure: false }, ...portal },
  ...more,
});

async function start(configuration: object, command: GateSettings["command"] = "portal"): Promise<RunningGate> {
  const gate = await startGate({
    ...{ configuration, command },
    files: { htpasswd, groups: "pushers: alice\nadmins: alice\n", secret: "s".repeat(40) },
  });
  onTestFinished(() => gate.close());
  return gate;
}

const tags = "/v2/team/app/tags/list";

describe("registry-gate portal", () => {
  test("serves pages and the registry by one configuration, behind one login", async () => {
    const gate = await start(configurationOf());
    const alice = visitor(gate.url);
    expect(await alice.get("/")).toMatchObject({ status: 303, location: "/sign-in" });
    await alice.signIn("alice", passwords.alice);
    const page = await alice.get("/");
    expect(page.text).toContain("Images &amp; more");
    expect(page.text).toContain("team/app");
    expect((await alice.get(tags)).status).toBe(200);
    const made = await alice.post("/tokens", { name: "ci", expires: "7d" });
    const token = /rga_[0-9A-Za-z]{49}/.exec(made.text)?.[0] ?? "";
    const authorization = `Basic ${Buffer.from(`alice:${token}`).toString("base64")}`;
    const tokenEndpoint = `/v2/auth?scope=repository:team/app:pull`;
    expect((await fetch(gate.url + tokenEndpoint, { headers: { authorization } })).status).toBe(200);
    const status = await alice.get("/everybody");
    for (const part of ["registry", "backend:htpasswd", "reload"]) expect(status.text).toContain(part);
    const why = await alice.get("/why?user=bob&repository=team%2Fapp&action=push");
    expect(why.text).toContain("bob may <strong>not</strong> push to team/app");
    expect((await alice.get("/nothing")).status).toBe(404);
    expect(await gate.settled()).toBeUndefined();
    expect(gate.lines().find(({ operation }) => operation === "list-tags")).toMatchObject({
      ...{ username: "alice", backend: "htpasswd" },
    });
    expect(gate.output()).not.toContain("canary");
    expect(gate.output()).not.toContain(token);
  });

  test("lists who logged in without leaving a password, and logs one of them out", async () => {
    const gate = await start(configurationOf({ auth: { ...configurationOf().auth, token: {} } }));
    const scopes = ["repository:team/app:pull"];
    const logIn = (): Promise<TokenAnswer> =>
      tokenFor(gate.url, scopes, { login: ["alice", passwords.alice], offline: true });
    const [first, second] = [await logIn(), await logIn()];
    const refresh = async ({ refreshToken = "" }: TokenAnswer): Promise<number> =>
      (await refreshed(gate.url, refreshToken, scopes)).status;
    expect([await refresh(first), await refresh(second)]).toEqual([200, 200]);
    const bob = visitor(gate.url);
    await bob.signIn("bob", passwords.bob);
    const alice = visitor(gate.url);
    await alice.signIn("alice", passwords.alice);
    const devicesOn = ({ text }: Answer): readonly string[] => text.match(/\/devices\/[^"]+\/revoke/g) ?? [];
    const [device = ""] = devicesOn(await alice.get("/tokens"));
    expect(devicesOn(await alice.get("/tokens"))).toHaveLength(2);
    expect(devicesOn(await bob.get("/tokens"))).toEqual([]);
    // Nothing of another's is touched, nor said to be there.
    expect((await bob.post(device)).status).toBe((await bob.post("/devices/none/revoke")).status);
    expect([await refresh(first), await refresh(second)]).toEqual([200, 200]);
    expect((await alice.post(device)).status).toBe(303);
    expect(devicesOn(await alice.get("/tokens"))).toHaveLength(1);
    expect([await refresh(first), await refresh(second)].sort()).toEqual([200, 400]);
    expect((await alice.get("/tokens")).text).not.toContain(first.refreshToken);
  });

  test("shows administrators who is kept out, and lets them in again", async () => {
    const gate = await start(
      configurationOf({ auth: { ...configurationOf().auth, throttle: { backoff: "10m..15m" } } }),
    );
    const carol = visitor(gate.url);
    await carol.get("/sign-in");
    for (let guess = 0; guess < 12; guess++) await carol.post("/sign-in", { username: "bob", password: "guess" });
    expect((await visitor(gate.url).signIn("bob", passwords.bob)).status).toBe(429);
    const alice = visitor(gate.url);
    await alice.signIn("alice", passwords.alice);
    const page = await alice.get("/everybody");
    expect(page.text).toContain("was kept out");
    expect(await alice.post("/everybody/release", { address: "127.0.0.1", username: "bob" })).toMatchObject({
      status: 303,
    });
    expect((await visitor(gate.url).signIn("bob", passwords.bob)).status).toBe(303);
    const bob = visitor(gate.url);
    await bob.signIn("bob", passwords.bob);
    await bob.get("/tokens");
    expect((await bob.get("/everybody")).status).toBe(404);
    expect(await bob.post("/everybody/release", { address: "127.0.0.1", username: "alice" })).toMatchObject({
      status: 404,
    });
    expect((await bob.get("/why?user=alice&repository=team%2Fapp")).text).toContain("You can ask this about yourself.");
  });

  test("records tokens and failed sign-ins in the audit, and names only where names may be kept", async () => {
    const audit = { output: { file: "audit.jsonl" }, events: ["token", "login-failed", "throttled"] };
    const gate = await start(configurationOf({ audit }));
    const events = async (): Promise<readonly Record<string, unknown>[]> =>
      (await readFile(join(gate.directory, "audit.jsonl"), "utf8"))
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line));
    const alice = visitor(gate.url);
    const { headers } = await alice.signIn("alice", "guess");
    await alice.signIn("alice", passwords.alice);
    await alice.get("/tokens");
    await alice.post("/tokens", { name: "ci", expires: "7d", repositories: "team/app", actions: "pull" });
    const path = /action="(\/tokens\/[^"]+\/revoke)"/.exec((await alice.get("/tokens")).text)?.[1] ?? "";
    await alice.post(path);
    await expect.poll(async () => (await events()).length).toBe(3);
    const token = { kind: "access", name: "ci", owner: "alice" };
    expect(await events()).toMatchObject([
      {
        ...{ event: "login-failed", attemptedUsername: "alice", address: "127.0.0.1", status: 401 },
        requestId: headers.get("x-request-id"),
      },
      { event: "token", outcome: "created", username: "alice", token },
      { event: "token", outcome: "revoked", username: "alice", token },
    ]);
    await gate.configure(configurationOf({ audit, log: { attemptedNames: false } }));
    await gate.logged(({ event }) => event === "reloaded");
    await visitor(gate.url).signIn("my secret password", "guess");
    await expect.poll(async () => (await events()).length).toBe(4);
    expect((await events()).at(-1)).not.toHaveProperty("attemptedUsername");
    const admin = visitor(gate.url);
    await admin.signIn("alice", passwords.alice);
    expect((await admin.get("/everybody")).text).not.toContain("my secret password");
  });

  test("keeps sessions when the configuration is reloaded, and moves its pages", async () => {
    const gate = await start(configurationOf());
    const alice = visitor(gate.url);
    await alice.signIn("alice", passwords.alice);
    await gate.configure(configurationOf({}, { path: "/portal" }));
    await gate.logged(({ event }) => event === "reloaded");
    expect((await alice.get("/portal/how-to")).status).toBe(200);
    expect((await alice.get("/how-to")).status).toBe(404);
    expect((await alice.get(tags)).status).toBe(200);
  });

  test("has one login in all of its processes", async () => {
    const gate = await start(configurationOf({ workers: 2 }));
    const alice = visitor(gate.url, { connection: "close" });
    await alice.signIn("alice", passwords.alice);
    const answers = await Promise.all(Array.from({ length: 12 }, () => alice.get("/how-to")));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    await alice.get("/how-to");
    expect(await alice.post("/sign-out")).toMatchObject({ status: 303 });
    const after = await Promise.all(Array.from({ length: 12 }, () => alice.get("/how-to")));
    expect(new Set(after.map(({ status }) => status))).toEqual(new Set([303]));
  });

  test("says what is wrong with its keys, and starts with none of that", async () => {
    const faults = async (portal: object): Promise<string> => {
      const gate = await start(configurationOf({}, portal), "portal").then(
        () => "it started",
        (error: Error) => error.message,
      );
      return gate;
    };
    expect(await faults({ path: "/v2/pages" })).toContain("portal.path");
    expect(await faults({ signIn: "oidc" })).toContain("portal.oidc: is missing");
    expect(await faults({ secretsFile: "groups" })).toContain("portal.secretsFile");
    expect(await faults({ secretsFile: "nothing" })).toContain("portal.secretsFile");
    expect(await faults({ secretsFile: "secret" })).toContain("it started");
  });
});

describe("registry-gate serve", () => {
  test("reads the section, and has no pages", async () => {
    const gate = await start(configurationOf(), "serve");
    expect((await fetch(`${gate.url}/sign-in`)).status).toBe(404);
    expect((await fetch(gate.url + tags)).status).toBe(401);
  });

  test("loads nothing of the portal", () => {
    const root = resolve(import.meta.dirname, "../../apps/gateway/src");
    const files = new Set([resolve(root, "commands/serve.ts")]);
    const packages = new Set<string>();
    for (const file of files) {
      // What is imported while it runs is loaded for pages alone.
      const source = readFileSync(file, "utf8").replaceAll(/await import\([^)]*\)/g, "undefined");
      for (const specifier of importsOf(file, source.replaceAll(/^import type [^;]*;/gm, ""))) {
        if (specifier.startsWith(".")) files.add(resolve(dirname(file), specifier));
        else packages.add(specifier);
      }
    }
    expect(packages).toContain("@registry-gate/core");
    expect([...packages].filter((name) => /portal|express|hono|openid/.test(name))).toEqual([]);
    expect([...files].filter((file) => file.startsWith(resolve(root, "portal")))).toEqual([]);
  });
});

test("npx pnpm portal says in one line that its port is in use", async () => {
  const main = resolve(import.meta.dirname, "../../apps/demo/src/portal/main.ts");
  const { port } = new URL(registry.url);
  const failed = await run(process.execPath, [
    "--conditions=development",
    main,
    "--port",
    port,
    "--upstream",
    registry.url,
  ]).then(
    () => "it started",
    (error: Error) => error.message,
  );
  expect(failed).toContain(`port ${port} is in use: choose another one by --port, such as --port 0`);
  expect(failed).not.toMatch(/^\s+at /m);
});

test("npx pnpm portal has every page that it speaks of", async () => {
  const main = resolve(import.meta.dirname, "../../apps/demo/src/portal/main.ts");
  const demo = spawn(process.execPath, ["--conditions=development", main, "--port", "0", "--upstream", registry.url], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(demo, "exit");
  onTestFinished(async () => {
    demo.kill();
    await ended;
  });
  let printed = "";
  demo.stdout.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
  });
  await expect.poll(() => printed, { timeout: 20_000 }).toContain("Ctrl-C");
  const url = /http:\/\/localhost:\d+/.exec(printed)?.[0] ?? "";
  const alice = visitor(url);
  expect(await alice.signIn("alice", "correct horse")).toMatchObject({ status: 303 });
  for (const path of ["/", "/tokens", "/activity", "/everybody", "/why", "/how-to"]) {
    expect(await alice.get(path), path).toMatchObject({ status: 200 });
  }
  const made = await alice.post("/tokens", { name: "ci", expires: "7d" });
  const token = /rga_[0-9A-Za-z]{49}/.exec(made.text)?.[0] ?? "";
  const authorization = `Basic ${Buffer.from(`alice:${token}`).toString("base64")}`;
  expect((await fetch(`${url}/v2/`, { headers: { authorization } })).status).toBe(200);
  const why = await alice.get("/why?repository=team%2Fapp&action=push");
  expect(why.text).toContain("access[2]");
});
