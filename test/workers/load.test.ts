import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { type DockerRegistry, startDockerRegistry } from "../support/docker-registry.ts";
import type { RunningGate } from "../support/gate.ts";
import { type Gates, gatesBefore } from "../support/gates-before.ts";
import { imageArchive } from "../support/image-archive.ts";
import { passwordFile } from "../support/password-file.ts";
import { runCommand } from "../support/run.ts";
import { alice, ask, servingWorkers, workersOf } from "./scene.ts";

/** What clients notice of workers that die, and of reloads, while they push and pull without a pause. */

let registry: DockerRegistry;
let gates: Gates;
let directory: string;

beforeAll(async () => {
  registry = await startDockerRegistry();
  gates = gatesBefore(registry.url, await passwordFile({ alice: "alice-password" }), { workers: 2 });
  directory = await mkdtemp(join(tmpdir(), "workers-load-"));
});

afterAll(async () => {
  await registry?.close();
  await rm(directory, { recursive: true, force: true });
});

const kills = 4;

/** What skopeo says where its connection ended under it: of the system, or of Go, which noticed it first. */
const cut =
  /broken pipe|connection reset by peer|connection refused|EOF|use of closed network connection|server closed idle connection|transport connection broken/;

/**
 * Pushes an image that no other push has, as skopeo does it, and again where a connection was cut: each worker that is
 * killed may cut one try. Not by skopeo's own `--retry-times`: it takes a connection that was reset for transient, but
 * not the same end where it comes up in a write ("broken pipe", "use of closed network connection").
 */
async function push(gate: RunningGate, repository: string): Promise<{ accepted: boolean; said: string }> {
  const archive = join(directory, `${repository}.tar`);
  await writeFile(archive, imageArchive("image:1", [{ data: randomBytes(2_000_000), name: repository }]));
  const remote = `docker://${gate.address}/${repository}:1`;
  const said: string[] = [];
  let accepted = false;
  while (!accepted && said.length <= kills) {
    const { code, stdout, stderr } = await runCommand("skopeo", [
      "copy",
      "--quiet",
      "--dest-tls-verify=false",
      "--dest-creds=alice:alice-password",
      `docker-archive:${archive}`,
      remote,
    ]);
    accepted = code === 0;
    said.push(stdout + stderr);
    if (!accepted && !cut.test(stderr)) break;
  }
  await rm(archive);
  return { accepted, said: said.join("") };
}

/** Whether the registry itself has an image whole. */
async function isWhole(repository: string): Promise<boolean> {
  const accept = "application/vnd.docker.distribution.manifest.v2+json,application/vnd.oci.image.manifest.v1+json";
  const manifest = await fetch(`${registry.url}/v2/${repository}/manifests/1`, { headers: { accept } });
  if (manifest.status !== 200) return false;
  const { config, layers } = Object(JSON.parse(await manifest.text()));
  for (const { digest } of [config, ...layers]) {
    const blob = await fetch(`${registry.url}/v2/${repository}/blobs/${digest}`);
    const content = Buffer.from(await blob.arrayBuffer());
    if (`sha256:${createHash("sha256").update(content).digest("hex")}` !== digest) return false;
  }
  return true;
}

test("no accepted push is lost when workers are killed under load, and clients that retry succeed", async () => {
  const gate = await gates.start();
  const accepted: string[] = [];
  const failures: string[] = [];
  let killed = 0;
  const clients = Array.from({ length: 3 }, async (_, client) => {
    for (let round = 0; round < 3 || killed < kills; round++) {
      const repository = `load-${client}-${round}`;
      const { accepted: pushed, said } = await push(gate, repository);
      if (pushed) accepted.push(repository);
      else failures.push(said);
    }
  });
  async function killWorkers(): Promise<void> {
    while (killed < kills) {
      await delay(700);
      const [victim = 0] = await workersOf(gate);
      process.kill(victim, "SIGKILL");
      await gate.logged(({ event, pid }) => event === "worker ended" && pid === victim);
      killed++;
      await expect.poll(() => gate.lines().filter(({ event }) => event === "worker started").length).toBe(2 + killed);
    }
  }
  await Promise.all([...clients, killWorkers()]);
  expect(failures).toEqual([]);
  expect(accepted.length).toBeGreaterThanOrEqual(9);
  for (const repository of accepted) expect([repository, await isWhole(repository)]).toEqual([repository, true]);
}, 300_000);

test("no request fails in a storm of reloads, and all workers follow each", async () => {
  const gate = await gates.start();
  const statuses = new Map<number | string, number>();
  let over = false;
  const clients = Array.from({ length: 4 }, async () => {
    while (!over) {
      const status = await ask(`${gate.url}/v2/`).then(
        (answer) => answer.status,
        (error: Error) => error.message,
      );
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  });
  for (let round = 1; round <= 8; round++) {
    const listen = { address: "127.0.0.1:0", healthPath: `/health-${round}` };
    // Every other one moves a limit too, and one in between is broken.
    await gate.configure(gates.configuration({ listen, limits: { inFlight: 1000 + round } }));
    await expect.poll(() => gate.lines().filter(({ event }) => event === "reloaded").length).toBe(round);
    const health = await Promise.all(Array.from({ length: 10 }, () => ask(`${gate.url}/health-${round}`)));
    expect(new Set(health.map(({ status }) => status))).toEqual(new Set([200]));
    await gate.put("registry-gate.yaml", "listen: [broken");
    await delay(100);
  }
  over = true;
  await Promise.all(clients);
  expect([...statuses.keys()]).toEqual([200]);
  expect(servingWorkers(gate.lines())).toEqual(new Set([1, 2]));
}, 180_000);

test("connections that stay are shared by all workers", async () => {
  const gate = await gates.start();
  const connections = 60;
  const { Agent, request } = await import("node:http");
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  onTestFinished(() => agent.destroy());
  const get = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const sent = request(`${gate.url}/v2/`, { agent, headers: alice }, (response) => {
        response.resume();
        response.once("end", () => resolve());
      });
      sent.once("error", reject);
      sent.end();
    });
  const before = gate.lines().length;
  await Promise.all(Array.from({ length: connections * 5 }, get));
  await expect
    .poll(
      () =>
        gate
          .lines()
          .slice(before)
          .filter(({ event }) => event === "request").length,
    )
    .toBe(connections * 5);
  const byWorker = [1, 2].map(
    (worker) =>
      gate
        .lines()
        .slice(before)
        .filter((line) => line.worker === worker).length,
  );
  // Fair enough that the limits of each worker, which are its part of the whole, fit.
  expect(Math.min(...byWorker)).toBeGreaterThan(connections);
});
