import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { runGate } from "../gateway/run-gate.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { passwordFile } from "../support/password-file.ts";
import { type Redis, startRedis } from "../support/redis.ts";
import { type ScriptedUpstream, startUpstream } from "../support/upstream.ts";
import { askUntil, servingWorkers } from "../workers/scene.ts";

/** What one process revokes holds in all others that share its state. */

let upstream: ScriptedUpstream;
let redis: Redis;
let htpasswd: string;

beforeAll(async () => {
  [upstream, redis, htpasswd] = await Promise.all([
    startUpstream((_, response) => void response.end("{}")),
    startRedis(),
    passwordFile({ alice: "alice-password" }),
  ]);
});

afterAll(async () => {
  await Promise.all([upstream?.close(), redis?.close()]);
});

function configuration(state: object | undefined, workers: number): object {
  return {
    listen: { address: "127.0.0.1:0" },
    upstream: { url: upstream.url },
    auth: {
      challenge: "basic",
      backends: [
        { type: "htpasswd", file: "htpasswd" },
        { type: "access-token", maxTtl: "1d" },
      ],
    },
    ...(state && { state }),
    workers,
  };
}

async function started(state: object | undefined, workers = 1): Promise<RunningGate> {
  const gate = await startGate({ configuration: configuration(state, workers), files: { htpasswd } });
  onTestFinished(() => gate.close());
  return gate;
}

async function token(gate: RunningGate, ...parameters: string[]): Promise<string> {
  const [command = "", ...rest] = parameters;
  const all = ["token", command, "--config", "registry-gate.yaml", "--owner", "alice", ...rest];
  const { code, stdout, stderr } = await runGate(all, { directory: gate.directory });
  expect([code, stderr]).toEqual([0, ""]);
  return stdout.trim();
}

async function statusWith(gate: RunningGate, secret: string): Promise<number> {
  const response = await fetch(`${gate.url}/v2/`, { headers: { authorization: `Bearer ${secret}` } });
  await response.arrayBuffer();
  return response.status;
}

/**
 * Has gates use a token without a pause while it is revoked elsewhere.
 *
 * @returns how long each has gone on to accept it, in milliseconds.
 */
async function usedWhileRevoked(gates: readonly RunningGate[], secret: string, name: string): Promise<number[]> {
  let revokedAt = Number.POSITIVE_INFINITY;
  const users = gates.map(async (gate) => {
    let last = 0;
    for (;;) {
      const begun = performance.now();
      if ((await statusWith(gate, secret)) === 401) return last - revokedAt;
      last = begun;
    }
  });
  await token(gates[0] ?? (await started(undefined)), "revoke", name);
  revokedAt = performance.now();
  return Promise.all(users);
}

test.each(["Redis", "SQLite"])(
  "an access token that was revoked elsewhere is refused by every gate (%s)",
  async (kind) => {
    const one = await started(kind === "Redis" ? { redis: redis.url } : { file: "state.db" });
    const other = await started(kind === "Redis" ? { redis: redis.url } : { file: join(one.directory, "state.db") });
    const secret = await token(one, "create", "--name", "short", "--expires", "1h");
    expect(await Promise.all([statusWith(one, secret), statusWith(other, secret)])).toEqual([200, 200]);
    const late = await usedWhileRevoked([one, other], secret, "short");
    // A second is what is promised of a machine with time to spare; what is remembered for a minute would be far beyond.
    for (const milliseconds of late) expect(milliseconds).toBeLessThan(20_000);
  },
);

test("an access token that was revoked by the command is refused by every worker", async () => {
  const gate = await started(undefined, 2);
  const secret = await token(gate, "create", "--name", "short", "--expires", "1h");
  const both = (): boolean => servingWorkers(gate.lines()).size === 2;
  const headers = { authorization: `Bearer ${secret}` };
  expect(await askUntil(`${gate.url}/v2/`, both, headers)).toEqual(new Set([200]));
  await token(gate, "revoke", "short");
  const refusedByAll = async (): Promise<boolean> => {
    const statuses = await Promise.all(Array.from({ length: 16 }, () => statusWith(gate, secret)));
    // After ten failures the throttle refuses them: 429.
    return statuses.every((status) => status === 401 || status === 429);
  };
  await expect.poll(refusedByAll).toBe(true);
});
