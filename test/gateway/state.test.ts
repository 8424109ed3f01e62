import { readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sqliteState } from "@registry-gate/state";
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { basic } from "../support/basic.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { passwordFile } from "../support/password-file.ts";
import { type Redis, startRedis } from "../support/redis.ts";
import { type ScriptedUpstream, startUpstream } from "../support/upstream.ts";
import { runGate } from "./run-gate.ts";

let passwords: string;
let upstream: ScriptedUpstream;
let redis: Redis;

beforeAll(async () => {
  passwords = await passwordFile({ alice: "alice-password", bob: "bob-password" });
  upstream = await startUpstream((_, response) => response.end("manifest"));
});

afterAll(() => upstream?.close());

beforeEach(async () => {
  redis = await startRedis();
});

afterEach(() => redis.close());

function configuration(state: object | undefined, changes: object = {}): object {
  return {
    listen: { address: "127.0.0.1:0" },
    upstream: { url: upstream.url },
    auth: {
      backends: [{ type: "htpasswd", file: "htpasswd" }],
      cache: false,
      throttle: { perUserAndAddress: "2/1h", backoff: "1h..1h" },
    },
    ...(state && { state }),
    ...changes,
  };
}

async function started(state: object | undefined): Promise<RunningGate> {
  const gate = await startGate({ configuration: configuration(state), files: { htpasswd: passwords } });
  onTestFinished(() => gate.close());
  return gate;
}

async function login(gate: RunningGate, username: string, password: string): Promise<number> {
  const response = await fetch(`${gate.url}/v2/team/app/manifests/latest`, { headers: basic(username, password) });
  await response.arrayBuffer();
  return response.status;
}

/** One failed login after another. */
async function guess(gate: RunningGate, username: string, times: number): Promise<number[]> {
  const statuses: number[] = [];
  for (let count = 0; count < times; count++) statuses.push(await login(gate, username, "wrong"));
  return statuses;
}

test("counts failed logins of one gate on every other gate that shares its Redis", async () => {
  vi.stubEnv("GATE_TEST_REDIS", redis.url);
  onTestFinished(() => void vi.unstubAllEnvs());
  const [one, other] = await Promise.all([started({ redis: "${GATE_TEST_REDIS}" }), started({ redis: redis.url })]);
  const apart = await started(undefined);
  expect(await guess(one, "alice", 2)).toEqual([401, 401]);
  expect(await login(other, "alice", "alice-password")).toBe(429);
  expect([await login(other, "bob", "bob-password"), await login(apart, "alice", "alice-password")]).toEqual([
    200, 200,
  ]);
});

test("keeps the counts over a restart in a file, which only its owner can read", async () => {
  const gate = await started({ file: "state.db" });
  expect(await guess(gate, "alice", 2)).toEqual([401, 401]);
  const file = join(gate.directory, "state.db");
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const again = await started({ file });
  expect([await login(again, "alice", "alice-password"), await login(again, "bob", "bob-password")]).toEqual([
    429, 200,
  ]);
});

test("goes on counting in memory while Redis is away, says so once, and returns to it", async () => {
  const gate = await started({ redis: redis.url });
  expect(await login(gate, "alice", "alice-password")).toBe(200);
  await redis.stop();
  expect(await login(gate, "bob", "bob-password")).toBe(200);
  expect(await guess(gate, "alice", 3)).toEqual([401, 401, 429]);
  await gate.settled();
  const about = (event: string) => gate.lines().filter((line) => line.event === event);
  expect(about("state unavailable")).toMatchObject([{ level: "warn" }]);
  expect(String(about("state unavailable")[0]?.msg)).toMatch(/^the state store is unavailable: Redis: /);
  await redis.start();
  await expect
    .poll(async () => {
      await login(gate, "bob", "bob-password");
      return about("state available").length;
    })
    .toBe(1);
  expect(about("state unavailable")).toHaveLength(1);
});

test("keeps the store over a reload, and opens another one where the configuration names it", async () => {
  const gate = await started({ file: "state.db" });
  const reloads = () => gate.lines().filter(({ event }) => event === "reloaded").length;
  expect(await guess(gate, "alice", 2)).toEqual([401, 401]);
  gate.kill("SIGHUP");
  await expect.poll(reloads).toBe(1);
  expect(await login(gate, "alice", "alice-password")).toBe(429);
  await gate.configure(configuration({ file: "other.db" }));
  await expect.poll(reloads).toBe(2);
  expect(await login(gate, "alice", "alice-password")).toBe(200);
  // Nobody uses the first one any longer: SQLite removes what stands beside it when it is closed.
  await expect
    .poll(async () => (await readdir(gate.directory)).filter((name) => name.endsWith(".db-wal")))
    .toEqual(["other.db-wal"]);
});

test("keeps the running configuration when the next one names a file that is no database", async () => {
  const gate = await started({ file: "state.db" });
  expect(await guess(gate, "alice", 2)).toEqual([401, 401]);
  await gate.configure(configuration({ file: "htpasswd" }));
  const refusal = await gate.logged(({ event }) => event === "reload refused");
  expect(JSON.stringify(refusal)).toContain("state.file: is not a SQLite database: ");
  expect(await login(gate, "alice", "alice-password")).toBe(429);
});

test("leaves a store that it has closed to the next process", async () => {
  const gate = await started({ file: "state.db" });
  await guess(gate, "alice", 1);
  gate.kill("SIGTERM");
  expect(await gate.ended).toBe(0);
  expect((await readdir(gate.directory)).filter((name) => name.startsWith("state.db"))).toEqual(["state.db"]);
  const store = await sqliteState({ file: join(gate.directory, "state.db") });
  onTestFinished(() => store.close());
  expect(await store.list("throttle:")).not.toEqual([]);
});

test("check finds a store that cannot be opened, together with other faults, and makes no file", async () => {
  const { directory } = await started(undefined);
  const check = async (state: object, changes?: object) => {
    await writeFile(join(directory, "gate.yaml"), JSON.stringify(configuration(state, changes)));
    const { code, stderr } = await runGate(["check", "--config", "gate.yaml"], { directory });
    return { code, faults: stderr.split("\n").filter((line) => line !== "") };
  };
  expect(await check({ file: "state.db" })).toEqual({ code: 0, faults: [] });
  expect(await readdir(directory)).not.toContain("state.db");
  const missing = `gate.yaml: state.file: no such directory: ${join(directory, "missing")}`;
  const auth = { backends: [{ type: "htpasswd", file: "nobody" }] };
  const { code, faults } = await check({ file: "missing/state.db" }, { auth });
  expect(code).toBe(1);
  expect(faults).toEqual([missing, expect.stringContaining("gate.yaml: auth.backends[0].file: ")]);
  expect((await check({ redis: "redis://:secret@" })).faults).toEqual([
    expect.stringMatching(/^gate\.yaml: state\.redis: must be redis:\/\/ or rediss:\/\/ with a host/),
  ]);
  expect((await check({ file: "state.db", redis: redis.url })).faults).toEqual([
    "gate.yaml: state: must hold file (a path) or redis (a URL), one of them and nothing else",
  ]);
});

test("check --connect tries the Redis, and never prints its password", async () => {
  const { directory } = await started(undefined);
  const check = async (url: string) => {
    await writeFile(join(directory, "gate.yaml"), JSON.stringify(configuration({ redis: url })));
    return runGate(["check", "--config", "gate.yaml", "--connect"], { directory });
  };
  const good = await check(redis.url);
  expect(good.stdout).toMatch(new RegExp(`^state\n  ${redis.url}\n    ok      ping `, "m"));
  await redis.stop();
  const bad = await check(redis.url.replace("//", "//gate:hunter2@"));
  expect(bad.code).toBe(1);
  expect(bad.stderr).toMatch(/^gate\.yaml: state\.redis: ping failed: the state store is unavailable: Redis: .+\)$/m);
  expect(bad.stdout + bad.stderr).not.toContain("hunter2");
});
