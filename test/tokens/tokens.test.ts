import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { type DockerRegistry, startDockerRegistry } from "../support/docker-registry.ts";
import { type GateSettings, type RunningGate, startGate } from "../support/gate.ts";
import { passwordFile } from "../support/password-file.ts";
import { bearer, refreshed, tokenFor } from "./token-client.ts";

/** Tokens of a gate before a real registry, which knows nothing of them. */

const alice = ["alice", "secret"] as const;
const everything = [
  { subjects: ["anonymous"], repositories: ["public/**"], actions: ["pull"] },
  { subjects: ["user:alice"], repositories: ["**"], actions: ["pull", "push"] },
];

let registry: DockerRegistry;

beforeAll(async () => {
  registry = await startDockerRegistry();
});

afterAll(() => registry?.close());

async function gateWith({
  token = {},
  access = everything,
  ...rest
}: { token?: object; access?: readonly object[] } & Partial<GateSettings> = {}) {
  const configuration = (rules: readonly object[]): object => ({
    listen: { address: "127.0.0.1:0" },
    upstream: { url: registry.url },
    auth: { backends: [{ type: "htpasswd", file: "htpasswd" }], token },
    access: rules,
  });
  const files = { htpasswd: await passwordFile({ alice: "secret", bob: "secret" }) };
  const gate = await startGate({ configuration: configuration(access), files, ...rest });
  onTestFinished(() => gate.close());
  return { gate, configuration };
}

async function push(gate: RunningGate, repository: string, token: string): Promise<string> {
  const content = `content of ${repository}`;
  const digest = `sha256:${createHash("sha256").update(content).digest("hex")}`;
  const begun = await fetch(`${gate.url}/v2/${repository}/blobs/uploads/`, { method: "POST", headers: bearer(token) });
  expect(begun.status).toBe(202);
  const place = new URL(begun.headers.get("location") ?? "", gate.url);
  place.searchParams.set("digest", digest);
  const finished = await fetch(place, { method: "PUT", headers: bearer(token), body: content });
  expect(finished.status).toBe(201);
  return digest;
}

test("a client without a login is told where to get a token, and pulls with it what is public", async () => {
  const { gate } = await gateWith();
  const own = await tokenFor(gate.url, ["repository:public/app:pull,push"], { login: alice });
  const digest = await push(gate, "public/app", own.token);
  const url = `${gate.url}/v2/public/app/blobs/${digest}`;
  // A rule allows it, so that curl and crane need no token.
  expect((await fetch(url)).status).toBe(200);
  const ping = await fetch(`${gate.url}/v2/`);
  expect(ping.status).toBe(401);
  const { host } = new URL(gate.url);
  expect(ping.headers.get("www-authenticate")).toBe(`Bearer realm="${gate.url}/v2/auth",service="${host}"`);
  const token = await tokenFor(gate.url, ["repository:public/app:pull"]);
  expect(token).toMatchObject({ status: 200, refreshToken: undefined });
  expect((await fetch(`${gate.url}/v2/`, { headers: bearer(token.token) })).status).toBe(200);
  expect(await (await fetch(url, { headers: bearer(token.token) })).text()).toBe("content of public/app");
});

test("a token is for what was asked, cut to what the rules allow, and a wider need is said with its scope", async () => {
  const { gate } = await gateWith();
  const nothing = await tokenFor(gate.url, ["repository:secret/app:pull", "registry:catalog:*"]);
  expect(nothing.status).toBe(200);
  const refusal = await fetch(`${gate.url}/v2/secret/app/tags/list`, { headers: bearer(nothing.token) });
  expect(refusal.status).toBe(401);
  expect(refusal.headers.get("www-authenticate")).toContain(
    'scope="repository:secret/app:pull",error="insufficient_scope"',
  );
  const pull = await tokenFor(gate.url, ["repository:team/app:pull"], { login: alice });
  const upload = { method: "POST", headers: bearer(pull.token) };
  const narrow = await fetch(`${gate.url}/v2/team/app/blobs/uploads/`, upload);
  expect(narrow.status).toBe(401);
  expect(narrow.headers.get("www-authenticate")).toContain(
    'scope="repository:team/app:pull,push",error="insufficient_scope"',
  );
});

test("a token for another service is not to be had", async () => {
  const { gate } = await gateWith();
  const { host } = new URL(gate.url);
  expect((await fetch(`${gate.url}/v2/auth?service=${host}`)).status).toBe(200);
  expect((await fetch(`${gate.url}/v2/auth?service=other.example.com`)).status).toBe(400);
});

test("a wrong password is 401, and never an anonymous token", async () => {
  const { gate } = await gateWith();
  expect(await tokenFor(gate.url, [], { login: ["alice", "wrong"] })).toMatchObject({ status: 401, token: "" });
  expect(await tokenFor(gate.url, [], { login: ["nobody", "wrong"] })).toMatchObject({ status: 401, token: "" });
});

test("a rule that is taken away holds at once for tokens that were issued before", async () => {
  const { gate, configuration } = await gateWith();
  const { token } = await tokenFor(gate.url, ["repository:team/app:pull,push"], { login: alice });
  const digest = await push(gate, "team/app", token);
  const url = `${gate.url}/v2/team/app/blobs/${digest}`;
  expect((await fetch(url, { headers: bearer(token) })).status).toBe(200);
  await gate.configure(configuration(everything.slice(0, 1)));
  await gate.logged(({ event }) => event === "reloaded");
  expect((await fetch(url, { headers: bearer(token) })).status).toBe(403);
});

test("an upload outlives its token, and nothing else does", async () => {
  const { gate } = await gateWith({ token: { ttl: "1s", uploadGrace: "1h" } });
  const { token } = await tokenFor(gate.url, ["repository:team/slow:pull,push"], { login: alice });
  const uploads = `${gate.url}/v2/team/slow/blobs/uploads/`;
  const begun = await fetch(uploads, { method: "POST", headers: bearer(token) });
  expect(begun.status).toBe(202);
  // The leeway of clocks is added.
  await expect
    .poll(async () => (await fetch(uploads, { method: "POST", headers: bearer(token) })).status, { timeout: 20_000 })
    .toBe(401);
  let place = new URL(begun.headers.get("location") ?? "", gate.url);
  const chunk = await fetch(place, { method: "PATCH", headers: bearer(token), body: "late" });
  expect(chunk.status).toBe(202);
  place = new URL(chunk.headers.get("location") ?? "", gate.url);
  place.searchParams.set("digest", `sha256:${createHash("sha256").update("late").digest("hex")}`);
  expect((await fetch(place, { method: "PUT", headers: bearer(token) })).status).toBe(201);
  const tags = await fetch(`${gate.url}/v2/team/slow/tags/list`, { headers: bearer(token) });
  expect(tags.status).toBe(401);
  expect(tags.headers.get("www-authenticate")).toContain('error="invalid_token"');
});

test("a refresh token ends with a new password, and with its user", async () => {
  const { gate } = await gateWith();
  const scope = ["repository:team/app:pull"];
  const first = await tokenFor(gate.url, scope, { login: alice, offline: true });
  expect(first.refreshToken).toMatch(/^rgr_\w{40,}$/);
  const ofBob = await tokenFor(gate.url, scope, { login: ["bob", "secret"], offline: true });
  const use = (token: string | undefined) => refreshed(gate.url, token ?? "", scope);
  expect(await use(first.refreshToken)).toMatchObject({ status: 200, refreshToken: undefined });
  expect(await use(first.refreshToken)).toMatchObject({ status: 200 });
  expect(await use(ofBob.refreshToken)).toMatchObject({ status: 200 });
  await gate.put("htpasswd", await passwordFile({ alice: "another" }));
  await expect.poll(async () => (await use(first.refreshToken)).error, { timeout: 20_000 }).toBe("invalid_grant");
  expect(await use(ofBob.refreshToken)).toMatchObject({ status: 400, error: "invalid_grant" });
  // It was deleted: the former password brings it back no more.
  await gate.put("htpasswd", await passwordFile({ alice: "secret", bob: "secret" }));
  const back = (name: string) => tokenFor(gate.url, scope, { login: [name, "secret"] }).then(({ status }) => status);
  // Seldom: too many failures would be throttled.
  await expect.poll(() => back("bob"), { interval: 500 }).toBe(200);
  expect(await use(first.refreshToken)).toMatchObject({ status: 400, error: "invalid_grant" });
});

test("no refresh token is given where refreshTtl is 0s, nor for another token", async () => {
  const { gate } = await gateWith({ token: { refreshTtl: "0s" } });
  expect(await tokenFor(gate.url, [], { login: alice, offline: true })).toMatchObject({
    status: 200,
    refreshToken: undefined,
  });
  const { token } = await tokenFor(gate.url, [], { login: alice });
  const again = await fetch(`${gate.url}/v2/auth?offline_token=true`, { headers: bearer(token) });
  expect(again.status).toBe(401);
});
