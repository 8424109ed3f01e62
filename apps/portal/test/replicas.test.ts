import { redisState } from "@registry-gate/state";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { startDockerRegistry } from "../../../test/support/docker-registry.ts";
import { type Redis, startRedis } from "../../../test/support/redis.ts";
import { pushImage } from "../../../test/support/registry-content.ts";
import { visitor } from "../../../test/support/visitor.ts";
import { openUsers, passwords, type RunningPortal, startPortal, type Users } from "./stage.ts";

let redis: Redis;
let registry: Awaited<ReturnType<typeof startDockerRegistry>>;
let users: Users;
beforeAll(async () => {
  redis = await startRedis();
  registry = await startDockerRegistry();
  await pushImage({ url: registry.url, headers: {} }, "team/app", "latest", "content");
  users = await openUsers();
});
afterAll(async () => {
  await users?.close();
  await registry?.close();
  await redis?.close();
});

/** A portal with a connection of its own to the one Redis, and another port. */
async function replica(): Promise<RunningPortal> {
  const state = redisState({ url: redis.url });
  const running = await startPortal({ users, upstream: registry.url, state });
  onTestFinished(async () => {
    await running.close();
    await state.close();
  });
  return running;
}

const tags = "/v2/team/app/tags/list";

test("two replicas share sessions, forms, tokens and activity, and a sign-out at one ends all at the other", async () => {
  const [one, other] = [await replica(), await replica()];
  const atOne = visitor(one.url);
  await atOne.signIn("alice", passwords.alice);
  const atOther = visitor(other.url);
  for (const [name, value] of atOne.cookies) atOther.cookies.set(name, value);
  expect((await atOther.get("/tokens")).status).toBe(200);
  expect((await atOther.get(tags)).status).toBe(200);
  const made = await atOther.post("/tokens", { name: "shared", expires: "7d" });
  expect(made.status).toBe(200);
  expect((await atOne.get("/tokens")).text).toContain("shared");

  const token = /rga_[0-9A-Za-z]{49}/.exec(made.text)?.[0] ?? "";
  const authorization = `Basic ${Buffer.from(`alice:${token}`).toString("base64")}`;
  const accept = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";
  const pulled = await fetch(`${one.url}/v2/team/app/manifests/latest`, { headers: { authorization, accept } });
  expect(pulled.status).toBe(200);
  await expect.poll(async () => (await atOther.get("/activity")).text).toContain("pulled");

  await atOne.get("/tokens");
  expect(await atOne.post("/sign-out")).toMatchObject({ status: 303 });
  expect(await atOther.get("/tokens")).toMatchObject({ status: 303 });
  expect((await atOther.get(tags)).status).toBe(401);
});

test("a session cannot be found out while Redis is away, and is there again when Redis is back", async () => {
  const running = await replica();
  const alice = visitor(running.url);
  await alice.signIn("alice", passwords.alice);
  redis.kill("SIGSTOP");
  try {
    expect((await alice.get("/how-to")).status).toBe(503);
    expect((await alice.get(tags)).status).toBe(503);
  } finally {
    redis.kill("SIGCONT");
  }
  await expect.poll(async () => (await alice.get("/how-to")).status).toBe(200);
});
