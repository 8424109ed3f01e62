import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { basic } from "../support/basic.ts";
import { type DockerRegistry, startDockerRegistry } from "../support/docker-registry.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import type { LogLine } from "../support/logged-server.ts";
import { passwordFile } from "../support/password-file.ts";
import { pushImage } from "../support/registry-content.ts";
import { type ScriptedUpstream, startUpstream } from "../support/upstream.ts";
import { runGate } from "./run-gate.ts";

/** The registry knows the gate alone, and the gate knows alice. */
let registry: DockerRegistry;
let users: string;

beforeAll(async () => {
  registry = await startDockerRegistry({}, await passwordFile({ gate: "canary-gate" }));
  users = await passwordFile({ alice: "canary-alice" });
});
afterAll(() => registry?.close());

const byPassword = { username: "gate", passwordFile: "secret" };

async function gateWith(
  credentials: object | string | undefined,
  secret: string,
  url = registry.url,
): Promise<RunningGate> {
  const gate = await startGate({
    configuration: {
      listen: { address: "127.0.0.1:0" },
      upstream: { url, ...(credentials !== undefined && { credentials }) },
      auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
    },
    files: { htpasswd: users, secret },
  });
  onTestFinished(() => gate.close());
  return gate;
}

const alice = basic("alice", "canary-alice");

describe("a docker-registry with a password file of its own", () => {
  test("is pushed to and pulled from with the gate's login, whose users have none there", async () => {
    // As an editor of Windows writes it.
    const gate = await gateWith(byPassword, "\uFEFFcanary-gate\r\n");
    const { blob } = await pushImage({ url: gate.url, headers: alice }, "team/app", "v1", "a layer");
    const pulled = await fetch(`${gate.url}/v2/team/app/blobs/${blob}`, { headers: alice });
    expect(await pulled.text()).toBe("a layer");
    const tags = await fetch(`${gate.url}/v2/team/app/tags/list`, { headers: alice });
    expect(await tags.json()).toEqual({ name: "team/app", tags: ["v1"] });
    // The gate's login opens nothing at the gate, and alice's nothing at the registry.
    expect((await fetch(`${gate.url}/v2/`, { headers: basic("gate", "canary-gate") })).status).toBe(401);
    expect((await fetch(`${registry.url}/v2/`, { headers: alice })).status).toBe(401);
    await gate.settled();
    expect(gate.output()).not.toContain("canary");
  });

  test("is 502 for everybody while the password is wrong, and works as soon as the file has the right one", async () => {
    const gate = await gateWith(byPassword, "canary-old\n");
    const ask = () => fetch(`${gate.url}/v2/`, { headers: alice });
    for (let count = 0; count < 3; count++) {
      const response = await ask();
      expect([response.status, response.headers.get("www-authenticate")]).toEqual([502, null]);
    }
    const refused = "the registry rejects the gate's login";
    const isWarning = ({ msg }: LogLine): boolean => typeof msg === "string" && msg.startsWith(refused);
    await gate.logged(isWarning);
    await gate.put("secret", "canary-gate\n");
    await expect.poll(async () => (await ask()).status, { timeout: 10_000 }).toBe(200);
    // What is of no use does not take the place of what works.
    await gate.put("secret", "");
    await gate.logged(({ msg }) => typeof msg === "string" && msg.startsWith("invalid file ignored"));
    expect((await ask()).status).toBe(200);
    await gate.settled();
    expect(gate.lines().filter(isWarning)).toHaveLength(1);
    expect(gate.output()).not.toContain("canary");
  });
});

test("a token from a file goes to the registry, and the next one as soon as it is there", async () => {
  const heard: (string | undefined)[] = [];
  const upstream: ScriptedUpstream = await startUpstream(({ headers }, response) => {
    heard.push(headers.authorization);
    response.end("{}");
  });
  onTestFinished(() => upstream.close());
  const gate = await gateWith({ bearerFile: "secret" }, "first", upstream.url);
  const ask = async () => {
    await fetch(`${gate.url}/v2/`, { headers: alice });
    return heard.at(-1);
  };
  expect(await ask()).toBe("Bearer first");
  await gate.put("secret", "second\n");
  await expect.poll(ask, { timeout: 10_000 }).toBe("Bearer second");
});

describe("registry-gate check", () => {
  async function check(
    credentials: object | string | undefined,
    secret: string,
    url = registry.url,
    ...options: string[]
  ) {
    const directory = await mkdtemp(join(tmpdir(), "registry-login-"));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const configuration = {
      listen: { address: "127.0.0.1:0" },
      upstream: { url, credentials },
      auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
    };
    const files = { htpasswd: users, secret, "check.yaml": JSON.stringify(configuration) };
    for (const [name, content] of Object.entries(files)) await writeFile(join(directory, name), content);
    return runGate(["check", "--config", "check.yaml", ...options], { directory });
  }

  test("--connect signs in at the registry", async () => {
    expect(await check(byPassword, "canary-gate\n", undefined, "--connect")).toMatchObject({ code: 0, stderr: "" });
    const wrong = await check(byPassword, "canary-old\n", undefined, "--connect");
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain("ping failed: the registry rejects upstream.credentials");
    const none = await check(undefined, "", undefined, "--connect");
    expect(none.code).toBe(1);
    expect(none.stderr).toContain("are never forwarded to it: set upstream.credentials");
  });

  test("warns of a login in clear text to another machine, and not on the same one", async () => {
    const elsewhere = await check(byPassword, "canary-gate", "http://registry.example.com:5000");
    expect(elsewhere.code).toBe(0);
    expect(elsewhere.stderr).toContain("warning: upstream.credentials: are sent in clear text");
    const secure = await check(byPassword, "canary-gate", "https://registry.example.com:5000");
    expect(secure.stderr).not.toContain("upstream.credentials");
    expect((await check(byPassword, "canary-gate")).stderr).toBe("");
  });

  test.each([
    [{ username: "gate" }, "x", "credentials.passwordFile: is required"],
    ["gate:secret", "x", "credentials: must hold username and passwordFile, or bearerFile, and nothing else"],
    [{ username: "gate", passwordFile: "none" }, "x", "credentials.passwordFile: "],
    [{ username: "gate", passwordFile: "secret" }, "", "credentials.passwordFile: is empty"],
    [{ username: "a:b", passwordFile: "secret" }, "x", "credentials.username: must hold no colon"],
    [{ username: "gate", passwordFile: "secret" }, "two\nlines", "credentials.passwordFile: holds more than one line"],
    [{ bearerFile: "secret" }, "no token", "credentials.bearerFile: cannot be sent: bearer must be a token"],
    [{ bearerFile: "secret", username: "gate" }, "x", "credentials.username: is not a known key"],
  ])("finds the fault in %j with the secret %j", async (credentials, secret, message) => {
    const { code, stderr } = await check(credentials, secret);
    expect(code).toBe(1);
    expect(stderr).toContain(`check.yaml: upstream.${message}`);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });
});
