import { afterEach, beforeEach, expect, test } from "vitest";
import { runGate } from "../gateway/run-gate.ts";
import { basic } from "../support/basic.ts";
import { type DockerRegistry, startDockerRegistry } from "../support/docker-registry.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { passwordFile } from "../support/password-file.ts";
import { manifestType, pushImage } from "../support/registry-content.ts";

/** Rules that deny, at a real registry, and that a running gate takes them up. */

let registry: DockerRegistry;
let gate: RunningGate;

const everybody = { subjects: ["authenticated"], repositories: ["**"], actions: ["*"] };
const notMallory = { effect: "deny", subjects: ["user:mallory"], repositories: ["**"], actions: ["*"] };
const users = ["alice", "mallory"];

function configuration(...access: object[]): object {
  return {
    listen: { address: "127.0.0.1:0" },
    upstream: { url: registry.url },
    auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
    access,
  };
}

beforeEach(async () => {
  registry = await startDockerRegistry();
  gate = await startGate({
    configuration: configuration(everybody),
    files: { htpasswd: await passwordFile(Object.fromEntries(users.map((user) => [user, `${user}-password`]))) },
  });
});

afterEach(async () => {
  await gate.close();
  await registry.close();
});

const as = (user: string) => ({ url: gate.url, headers: basic(user, `${user}-password`) });

async function pull(user: string, repository: string): Promise<number> {
  const headers = { ...as(user).headers, Accept: manifestType };
  const response = await fetch(`${gate.url}/v2/${repository}/manifests/v1`, { headers });
  await response.arrayBuffer();
  return response.status;
}

async function catalog(user: string): Promise<unknown> {
  const response = await fetch(`${gate.url}/v2/_catalog`, as(user));
  const { repositories } = JSON.parse(await response.text());
  return repositories;
}

async function reload(...access: object[]): Promise<void> {
  let before = gate.lines().filter(({ event }) => event === "reloaded").length;
  await gate.configure(configuration(...access));
  await gate.logged(({ event }) => event === "reloaded" && before-- === 0);
}

test("denies a user with a remembered login as soon as the rule is loaded, until it is removed", async () => {
  await pushImage(as("mallory"), "team/app", "v1", "a layer");
  expect(await pull("mallory", "team/app")).toBe(200);
  await reload(everybody, notMallory);
  expect([await pull("mallory", "team/app"), await pull("alice", "team/app")]).toEqual([403, 200]);
  await expect(pushImage(as("mallory"), "mallory/app", "v1", "another")).rejects.toThrow("403");
  expect(await catalog("mallory")).toEqual([]);
  const record = await gate.logged(({ event, decision }) => event === "request" && decision === "denied");
  expect(record).toMatchObject({ username: "mallory", reason: "denied by access[1]" });
  await reload(notMallory, { ...everybody, subjects: ["user:alice"] });
  expect(await pull("mallory", "team/app")).toBe(403);
  await reload(everybody);
  expect(await pull("mallory", "team/app")).toBe(200);
});

test("hides denied repositories from the catalog and from mounts, and explains the rule", async () => {
  const secret = await pushImage(as("alice"), "secret/app", "v1", "a secret layer");
  await pushImage(as("alice"), "team/app", "v1", "a layer");
  await reload({ ...notMallory, repositories: ["secret/**"], actions: ["pull"] }, everybody);
  expect(await catalog("mallory")).toEqual(["team/app"]);
  expect(await catalog("alice")).toEqual(["secret/app", "team/app"]);
  const mount = `${gate.url}/v2/mallory/app/blobs/uploads/?mount=${secret.blob}&from=secret/app`;
  expect((await fetch(mount, { method: "POST", ...as("mallory") })).status).toBe(202);
  expect((await fetch(mount, { method: "POST", ...as("alice") })).status).toBe(201);

  const explain = (...parameters: string[]) =>
    runGate(["explain", "--config", "registry-gate.yaml", ...parameters], { directory: gate.directory });
  expect(await explain("--user", "mallory", "pull", "secret/app")).toEqual({
    code: 1,
    stdout: "denied\n  access[0]: denies pull on secret/app\n  access[1]: allows pull on secret/app\n",
    stderr: "",
  });
  expect(await explain("--user", "alice", "pull", "secret/app")).toMatchObject({
    code: 0,
    stdout: "allowed\n  access[1]: allows pull on secret/app\n",
  });
  // A rule that would deny something else is no reason.
  expect(await explain("pull", "team/app")).toMatchObject({
    code: 1,
    stdout: "denied\n  access[1]: its subjects do not include an anonymous caller\n",
  });
  const { stdout } = await explain("--json", "--user", "mallory", "pull", "secret/app");
  expect(JSON.parse(stdout)).toEqual({
    allowed: false,
    rules: [
      { rule: 0, allows: false, denies: true, reason: "denies pull on secret/app" },
      { rule: 1, allows: true, denies: false, reason: "allows pull on secret/app" },
    ],
  });
});
