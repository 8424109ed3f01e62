import { readdir, readFile } from "node:fs/promises";
import { get } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { basic } from "../support/basic.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { passwordFile } from "../support/password-file.ts";
import { type ScriptedUpstream, startUpstream } from "../support/upstream.ts";
import { runGate } from "./run-gate.ts";

let upstream: ScriptedUpstream;
let gate: RunningGate;

const users = { alice: "alice-password", bob: "bob-password" };
const everything = ["pull", "push", "delete"];

beforeAll(async () => {
  upstream = await startUpstream((_, response) => void response.writeHead(200).end("{}"));
  gate = await startGate({
    configuration: {
      listen: { address: "127.0.0.1:0" },
      upstream: { url: upstream.url },
      auth: {
        backends: [
          { type: "access-token", maxTtl: "30d" },
          { type: "htpasswd", file: "htpasswd" },
        ],
      },
      state: { file: "state.db" },
      access: [
        { subjects: ["user:alice"], repositories: ["team/**", "alice/**"], actions: everything },
        { subjects: ["user:robot$ci", "group:builders"], repositories: ["builds/**"], actions: everything },
      ],
    },
    files: { htpasswd: await passwordFile(users) },
  });
});
afterAll(async () => {
  await gate?.close();
  await upstream?.close();
});

function token(action: string, ...parameters: readonly string[]) {
  return runGate(["token", action, "--config", join(gate.directory, "registry-gate.yaml"), ...parameters]);
}

async function create(...parameters: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await token("create", "--expires", "1h", ...parameters);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout.trimEnd();
}

async function pull(repository: string, secret: string, username = "alice"): Promise<number> {
  const url = `${gate.url}/v2/${repository}/manifests/latest`;
  return (await fetch(url, { headers: basic(username, secret) })).status;
}

describe("an access token, at a running gate", () => {
  it("is worth its scopes, as far as its owner has them", async () => {
    const scopes = ["--scope", "repository:team/**:pull", "--scope", "repository:builds/**:pull"];
    const secret = await create("--owner", "alice", "--name", "scoped", ...scopes);
    expect(await pull("team/app", secret)).toBe(200);
    expect(await pull("team/app", secret, "anybody")).toBe(200);
    // The owner may, and the token not; the token may, and the owner not.
    expect(await pull("alice/app", secret)).toBe(403);
    expect(await pull("builds/app", secret)).toBe(403);
    expect(await pull("alice/app", users.alice)).toBe(200);
    const url = `${gate.url}/v2/team/app/manifests/latest`;
    expect((await fetch(url, { headers: { Authorization: `Bearer ${secret}` } })).status).toBe(200);
    expect((await fetch(url, { method: "DELETE", headers: basic("alice", secret) })).status).toBe(403);
  });

  it("is refused within a moment once the command line has revoked it", async () => {
    const secret = await create("--owner", "alice", "--name", "short");
    expect(await pull("team/app", secret)).toBe(200);
    const { stdout } = await token("revoke", "short");
    const revoked = performance.now();
    expect(stdout).toBe("short of alice is revoked\n");
    await expect.poll(() => pull("team/app", secret), { interval: 100 }).toBe(401);
    // Generous for a busy machine: what is remembered for a minute would be far beyond.
    expect(performance.now() - revoked).toBeLessThan(20_000);
  });

  it("takes the tokens of the token protocol along that were issued for it", async () => {
    const secret = await create("--owner", "alice", "--name", "docker");
    const url = `${gate.url}/v2/auth?scope=repository:team/app:pull&offline_token=true`;
    const issued: unknown = await (await fetch(url, { headers: basic("alice", secret) })).json();
    const jwt = String(Reflect.get(Object(issued), "token"));
    expect(issued).not.toHaveProperty("refresh_token");
    const use = async (): Promise<number> => {
      const headers = { Authorization: `Bearer ${jwt}` };
      return (await fetch(`${gate.url}/v2/team/app/manifests/latest`, { headers })).status;
    };
    expect(await use()).toBe(200);
    await token("revoke", "docker");
    // It would hold for five minutes by itself.
    await expect.poll(use, { interval: 100, timeout: 20_000 }).toBe(401);
  });

  it("for one network is worth nothing elsewhere, while its owner uses it, and neither are its tokens", async () => {
    const secret = await create("--owner", "alice", "--name", "network", "--network", "127.0.0.2");
    const at = (address: string, authorization: string): Promise<number> =>
      new Promise((resolve, reject) => {
        const options = { localAddress: address, headers: { Authorization: authorization } };
        const ask = get(`${gate.url}/v2/team/app/manifests/latest`, options, (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        });
        ask.on("error", reject);
      });
    const login = basic("alice", secret).authorization;
    for (let round = 0; round < 5; round++) {
      expect(await Promise.all(["127.0.0.2", "127.0.0.3"].map((address) => at(address, login)))).toEqual([200, 401]);
    }
    const jwt = await new Promise<string>((resolve, reject) => {
      const options = { localAddress: "127.0.0.2", headers: { Authorization: login } };
      const ask = get(`${gate.url}/v2/auth?scope=repository:team/app:pull`, options, async (response) => {
        const text = (await response.toArray()).join("");
        resolve(String(Reflect.get(Object(JSON.parse(text)), "token")));
      });
      ask.on("error", reject);
    });
    for (let round = 0; round < 5; round++) {
      const both = ["127.0.0.2", "127.0.0.3"].map((address) => at(address, `Bearer ${jwt}`));
      expect(await Promise.all(both)).toEqual([200, 401]);
    }
  });

  it("dies with its owner", async () => {
    const secret = await create("--owner", "bob", "--name", "main");
    expect(await pull("team/app", secret)).toBe(403);
    await gate.put("htpasswd", await passwordFile({ alice: users.alice }));
    await expect.poll(() => pull("team/app", secret)).toBe(401);
    expect((await token("list", "--owner", "bob")).stdout.trim().split("\n")).toHaveLength(1);
  });

  it("of a robot is named by rules, and by its groups", async () => {
    const secret = await create("--robot", "ci", "--name", "main");
    const other = await create("--robot", "other", "--group", "builders", "--name", "main");
    expect(await pull("builds/app", secret, "robot$ci")).toBe(200);
    expect(await pull("team/app", secret, "robot$ci")).toBe(403);
    expect(await pull("builds/app", other)).toBe(200);
  });

  it("says when and from where it was last used", async () => {
    const secret = await create("--owner", "alice", "--name", "used");
    await pull("team/app", secret);
    const lastUse = async () => JSON.parse((await token("show", "--json", "used")).stdout).lastUsed;
    await expect.poll(lastUse).toMatchObject({ address: "127.0.0.1", agent: "node" });
  });

  it("is not in the log, nor in the state file", async () => {
    const secret = await create("--owner", "alice", "--name", "secret");
    await pull("team/app", secret);
    await pull("team/app", `${secret.slice(0, -1)}-`);
    const { reason } = await gate.logged((line) => String(line.reason).includes("the access token is malformed"));
    // No other backend is asked: a directory would count it as a wrong password of the user.
    expect(reason).toBe("access-token: the access token is malformed: its checksum does not fit");
    await gate.settled();
    const log = gate.output();
    const names = (await readdir(gate.directory)).filter((name) => name.startsWith("state.db"));
    expect(names).not.toHaveLength(0);
    const stored = await Promise.all(names.map((name) => readFile(join(gate.directory, name), "latin1")));
    for (const text of [log, ...stored]) expect(text).not.toContain(secret.slice(0, -1));
  });
});

it("check accepts a configuration with access tokens, with state or with the file beside it", async () => {
  const configuration = {
    listen: { address: "127.0.0.1:0" },
    upstream: { url: upstream.url },
    auth: { backends: [{ type: "access-token" }, { type: "htpasswd", file: "htpasswd" }] },
  };
  const place = join(gate.directory, "other.yaml");
  await gate.put("other.yaml", JSON.stringify({ ...configuration, state: { file: "other.db" } }));
  expect((await runGate(["check", "--config", place])).code).toBe(0);
  await gate.put("other.yaml", JSON.stringify(configuration));
  expect((await runGate(["check", "--config", place])).code).toBe(0);
  const listed = await runGate(["token", "list", "--config", place]);
  expect(listed).toMatchObject({ code: 0, stderr: "" });
  // The file beside the configuration is that of the gate.
  expect(listed.stdout).toContain("scoped");
});
