import { readdir } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { forgetPeak, peakMemory, residentMemory } from "../bench/process-usage.ts";
import { basic } from "../support/basic.ts";
import { type DockerRegistry, startDockerRegistry } from "../support/docker-registry.ts";
import { gateCommand, type RunningGate, startGate } from "../support/gate.ts";
import { passwordFile } from "../support/password-file.ts";
import { manifestType, pushImage, startUpload } from "../support/registry-content.ts";
import { runCommand } from "../support/run.ts";
import { goOn, type Work, type WorkDone } from "./ordinary-work.ts";
import { type SlowMode, slowHttpTest } from "./slowhttptest.ts";

/** A gate before a real registry, with images that some pull while others are slow. */
export interface Scene {
  /** Lets ordinary clients pull and log in for so many seconds. */
  rest(seconds: number): Promise<OrdinaryWork>;
  /** The same, while so many connections are slow. */
  under(mode: SlowMode, connections: number, seconds: number): Promise<UnderAttack>;
  close(): Promise<void>;
}

/** What ordinary clients do all along. */
export interface OrdinaryWork {
  readonly manifests: WorkDone;
  readonly blobs: WorkDone;
  /** Each of another user, on a connection of its own. */
  readonly logins: WorkDone;
}

export interface UnderAttack extends OrdinaryWork {
  /** The most descriptors that the gate had open, beyond those at rest. */
  readonly descriptors: number;
  /** What the gate's memory grew by at its peak, in MiB. */
  readonly memoryGrowth: number;
  /** What slowhttptest says. */
  readonly report: string;
}

const blobBytes = 100_000;
/** More than all buffers between the registry and a client hold. */
const largeBytes = 16 * 1024 * 1024;
const freshUsers = 1000;
const password = "correct horse";
/** May push as the others may. The requests of one user count together, so it is none of them. */
const attacker = "mallory";
/** The attacker is on the loopback address; everybody else has one of his own, as in earnest. */
const addresses = { manifests: "127.3.0.1", blobs: "127.3.0.2", logins: "127.3.0.3" } as const;

/** @param program The command line of the command, where it is not to run from source. */
export async function startScene(program: typeof gateCommand = gateCommand): Promise<Scene> {
  const registry: DockerRegistry = await startDockerRegistry();
  const gate = await startGate({
    configuration: await configurationFor(registry.url),
    files: await passwords(),
    program,
    // Its log has a line for every request, and nobody reads it.
    onLine: () => {},
  });
  const alice = basic("alice", password);
  const caller = { url: gate.url, headers: alice };
  const image = await pushImage(caller, "team/app", "v1", "x".repeat(blobBytes));
  const large = await pushImage(caller, "world/large", "v1", "y".repeat(largeBytes));
  const upload = await startUpload(caller, "team/app");
  const targets: Readonly<Record<SlowMode, string>> = {
    "slow headers": `/v2/world/large/blobs/${large.blob}`,
    "slow body": upload.pathname + upload.search,
    range: `/v2/world/large/blobs/${large.blob}`,
    "slow read": `/v2/world/large/blobs/${large.blob}`,
  };
  const pulls = (path: string, bytes: number, address: string): Work => ({
    url: gate.url + path,
    headers: () => ({ ...alice, accept: manifestType }),
    bytes,
    address,
    newConnections: false,
  });
  const manifestPath = `/v2/team/app/manifests/${image.tag}`;
  const manifest = await (
    await fetch(gate.url + manifestPath, { headers: { ...alice, accept: manifestType } })
  ).bytes();
  let logins = 0;
  const login: Work = {
    url: `${gate.url}/v2/`,
    headers: () => basic(`fresh${logins++ % freshUsers}`, password),
    bytes: 2,
    address: addresses.logins,
    newConnections: true,
  };

  async function work(over: AbortSignal): Promise<OrdinaryWork> {
    const [manifests, blobs, fresh] = await Promise.all([
      goOn(pulls(manifestPath, manifest.length, addresses.manifests), over),
      goOn(pulls(`/v2/team/app/blobs/${image.blob}`, blobBytes, addresses.blobs), over),
      goOn(login, over),
    ]);
    return { manifests, blobs, logins: fresh };
  }

  return {
    rest: (seconds) => work(AbortSignal.timeout(seconds * 1000)),
    async under(mode, connections, seconds) {
      const over = new AbortController();
      const before = { descriptors: await descriptorsOf(gate), memory: await residentMemory(gate.pid) };
      await forgetPeak(gate.pid);
      let descriptors = 0;
      const watch = setInterval(async () => {
        descriptors = Math.max(descriptors, (await descriptorsOf(gate)) - before.descriptors);
      }, 250);
      const working = work(over.signal);
      const url = gate.url + targets[mode];
      const { authorization } = basic(attacker, password);
      const report = await slowHttpTest({ mode, url, authorization, connections, seconds });
      clearInterval(watch);
      over.abort();
      await settled(gate, before.descriptors);
      const memoryGrowth = (await peakMemory(gate.pid)) - before.memory;
      return { ...(await working), descriptors, memoryGrowth, report };
    },
    async close() {
      await gate.close();
      await registry.close();
    },
  };
}

async function descriptorsOf(gate: RunningGate): Promise<number> {
  return (await readdir(`/proc/${gate.pid}/fd`)).length;
}

/** Waits until what was slow has gone, so that the next look is one at rest. */
async function settled(gate: RunningGate, descriptors: number): Promise<void> {
  const deadline = performance.now() + 30_000;
  while ((await descriptorsOf(gate)) > descriptors + 20 && performance.now() < deadline) await delay(100);
  await delay(500);
}

async function configurationFor(registry: string): Promise<object> {
  return {
    listen: { address: "127.0.0.1:0" },
    upstream: { url: registry },
    auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
    access: [
      { subjects: ["anonymous"], repositories: ["world/**"], actions: ["pull"] },
      { subjects: ["authenticated"], repositories: ["**"], actions: ["pull", "push"] },
    ],
    // All slow connections come from one address, and all of them are to be borne.
    ...((await knows("connectionsPerAddress")) && { limits: { connectionsPerAddress: 4096 } }),
  };
}

/** Whether the configuration has a key of this name. */
async function knows(key: string): Promise<boolean> {
  const [command, ...before] = gateCommand;
  return (await runCommand(command, [...before, "schema"])).stdout.includes(`"${key}"`);
}

/** The hash of one password does for all, and their logins are what they cost all the same. */
async function passwords(): Promise<{ htpasswd: string }> {
  const hash = (await passwordFile({ alice: password })).trim().replace(/^alice:/, "");
  const names = ["alice", attacker, ...Array.from({ length: freshUsers }, (_, number) => `fresh${number}`)];
  return { htpasswd: names.map((name) => `${name}:${hash}\n`).join("") };
}
