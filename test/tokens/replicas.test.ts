import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addKey } from "@registry-gate/token";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { base, openldap } from "../ldap/openldap.ts";
import { type DockerRegistry, startDockerRegistry } from "../support/docker-registry.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { type Redis, startRedis } from "../support/redis.ts";
import { type Slapd, startSlapd } from "../support/slapd.ts";
import { bearer, refreshed, tokenFor } from "./token-client.ts";

/** Two gates that know each other by Redis and by the file of their keys alone. */

const scope = ["repository:team/app:pull"];
const alice = ["alice", "alicepw"] as const;

let registry: DockerRegistry;
let slapd: Slapd;
let redis: Redis;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "replicas-"));
  [registry, slapd, redis] = await Promise.all([startDockerRegistry(), startSlapd(), startRedis()]);
  await addKey(join(directory, "keys.json"));
});

afterAll(async () => {
  await Promise.all([registry?.close(), slapd?.close(), redis?.close()]);
  await rm(directory, { recursive: true, force: true });
});

async function replica(state: object | undefined = { redis: redis.url }): Promise<RunningGate> {
  const { caCert, ...ldap } = openldap(slapd);
  const gate = await startGate({
    configuration: {
      listen: { address: "127.0.0.1:0" },
      upstream: { url: registry.url },
      auth: {
        backends: [{ type: "ldap", ...ldap, caCert }],
        token: { service: "registry.example.com" },
        challenge: "bearer",
      },
      keys: { file: join(directory, "keys.json") },
      access: [{ subjects: ["authenticated"], repositories: ["**"], actions: ["pull"] }],
      ...(state && { state }),
    },
  });
  onTestFinished(() => gate.close());
  return gate;
}

async function statusWith(gate: RunningGate, token: string): Promise<number> {
  return (await fetch(`${gate.url}/v2/`, { headers: bearer(token) })).status;
}

test("a token and a refresh token of one replica are good at another, and after a restart", async () => {
  const first = await replica();
  const second = await replica();
  const login = await tokenFor(first.url, scope, { login: alice, offline: true });
  expect(await statusWith(second, login.token)).toBe(200);
  const elsewhere = await refreshed(second.url, login.refreshToken ?? "", scope);
  expect(elsewhere.status).toBe(200);
  expect(await statusWith(first, elsewhere.token)).toBe(200);
  await first.close();
  await second.close();
  const restarted = await replica();
  expect(await refreshed(restarted.url, login.refreshToken ?? "", scope)).toMatchObject({ status: 200 });
  expect(await statusWith(restarted, login.token)).toBe(200);
});

test("a key that is added signs everywhere once it has settled, and the older one goes on to verify", async () => {
  const first = await replica();
  const second = await replica();
  const { token } = await tokenFor(first.url, scope, { login: alice });
  const kid = (jwt: string): unknown => JSON.parse(Buffer.from(jwt.split(".")[0] ?? "", "base64url").toString()).kid;
  const added = await addKey(join(directory, "keys.json"));
  await expect
    .poll(async () => kid((await tokenFor(first.url, scope, { login: alice })).token), { timeout: 30_000 })
    .toBe(added.kid);
  const { token: newer } = await tokenFor(first.url, scope, { login: alice });
  expect(await statusWith(second, token)).toBe(200);
  await expect.poll(() => statusWith(second, newer), { timeout: 20_000 }).toBe(200);
  expect(await readFile(join(directory, "keys.json"), "utf8")).toContain(added.kid);
}, 60_000);

test("whoever is removed from the directory is refused a further token at once", async () => {
  const gate = await replica();
  await slapd.modify(
    [
      `dn: uid=leaver,ou=people,${base}`,
      "changetype: add",
      "objectClass: inetOrgPerson",
      "cn: leaver",
      "sn: leaver",
      "uid: leaver",
      "userPassword: leaverpw",
      "",
    ].join("\n"),
  );
  const login = await tokenFor(gate.url, scope, { login: ["leaver", "leaverpw"], offline: true });
  expect(login.status).toBe(200);
  expect(await refreshed(gate.url, login.refreshToken ?? "", scope)).toMatchObject({ status: 200 });
  await slapd.modify(`dn: uid=leaver,ou=people,${base}\nchangetype: delete\n`);
  expect(await refreshed(gate.url, login.refreshToken ?? "", scope)).toMatchObject({
    status: 400,
    error: "invalid_grant",
  });
});

test("while the directory is away a refresh is 503, and the token stays", async () => {
  const gate = await replica();
  const login = await tokenFor(gate.url, scope, { login: alice, offline: true });
  await slapd.stop();
  try {
    expect(await refreshed(gate.url, login.refreshToken ?? "", scope)).toMatchObject({ status: 503 });
    expect(await statusWith(gate, login.token)).toBe(200);
  } finally {
    await slapd.start();
  }
  await expect
    .poll(async () => (await refreshed(gate.url, login.refreshToken ?? "", scope)).status, { timeout: 30_000 })
    .toBe(200);
}, 60_000);

test("while Redis is away tokens are verified and issued, and what needs the store is 503", async () => {
  const gate = await replica();
  const login = await tokenFor(gate.url, scope, { login: alice, offline: true });
  await redis.stop();
  try {
    expect(await statusWith(gate, login.token)).toBe(200);
    expect(await refreshed(gate.url, login.refreshToken ?? "", scope)).toMatchObject({ status: 503 });
    expect(await tokenFor(gate.url, scope, { login: alice, offline: true })).toMatchObject({ status: 503 });
    expect(await tokenFor(gate.url, scope, { login: alice })).toMatchObject({ status: 200 });
  } finally {
    await redis.start();
  }
}, 60_000);
