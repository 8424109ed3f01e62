import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { basic } from "../support/basic.ts";
import { type DockerRegistry, startDockerRegistry } from "../support/docker-registry.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { passwordFile } from "../support/password-file.ts";
import { manifestOf, manifestType, pushImage } from "../support/registry-content.ts";
import { run } from "../support/run.ts";
import { eventsOf, linesOf, parseEvent } from "./audited-gate.ts";

let registry: DockerRegistry;
let htpasswd: string;
let directory: string;
const gates: RunningGate[] = [];
const mounts: string[] = [];

const alice = basic("alice", "alice-password");
const layer = "a layer of all";

beforeAll(async () => {
  [registry, htpasswd] = await Promise.all([startDockerRegistry(), passwordFile({ alice: "alice-password" })]);
  directory = await mkdtemp(join(tmpdir(), "registry-gate-audit-"));
  // The blobs that each manifest below refers to.
  await pushImage({ url: registry.url, headers: {} }, "team/app", "first", layer);
});
afterAll(async () => {
  await Promise.all(gates.map((gate) => gate.close()));
  for (const mount of mounts) await run("umount", [mount]);
  await registry?.close();
  if (directory !== undefined) await rm(directory, { recursive: true, force: true });
});

async function startAudited(audit: object, upstream: string = registry.url): Promise<RunningGate> {
  const gate = await startGate({
    configuration: {
      listen: { address: "127.0.0.1:0" },
      upstream: { url: upstream },
      auth: { backends: [{ type: "htpasswd", file: "htpasswd" }], throttle: false },
      access: [{ subjects: ["user:alice"], repositories: ["**"], actions: ["*"] }],
      audit,
    },
    files: { htpasswd },
  });
  gates.push(gate);
  return gate;
}

async function put(gate: RunningGate, tag: string): Promise<number> {
  const url = `${gate.url}/v2/team/app/manifests/${tag}`;
  const headers = { ...alice, "Content-Type": manifestType };
  const response = await fetch(url, { method: "PUT", headers, body: manifestOf(layer) });
  await response.arrayBuffer();
  return response.status;
}

async function tagsOf(place: string, file: string): Promise<string[]> {
  const events = await eventsOf(place, file);
  return events.filter(({ event }) => event === "push").map(({ tag }) => String(tag));
}

/** Pushes without pause until nobody responds any more. @returns the tags that were accepted. */
async function pushUntilGone(gate: RunningGate, prefix: string, pushers: number): Promise<string[]> {
  const accepted: string[] = [];
  const pusher = async (who: number): Promise<void> => {
    for (let number = 0; ; number++) {
      const tag = `${prefix}-${who}-${number}`;
      try {
        if ((await put(gate, tag)) === 201) accepted.push(tag);
      } catch {
        return;
      }
    }
  };
  await Promise.all(Array.from({ length: pushers }, (_, who) => pusher(who)));
  return accepted;
}

describe("an audit", () => {
  it("has every push that a client saw accepted exactly once, when the gate is killed", async () => {
    const file = join(directory, "killed.jsonl");
    const accepted: string[] = [];
    for (const round of [1, 2, 3]) {
      const gate = await startAudited({ output: { file } });
      const pushing = pushUntilGone(gate, `killed-${round}`, 8);
      const written = async (): Promise<number> => (await tagsOf(directory, "killed.jsonl")).length;
      await expect.poll(written).toBeGreaterThan(accepted.length + 20);
      gate.kill("SIGKILL");
      accepted.push(...(await pushing));
    }
    const tags = await tagsOf(directory, "killed.jsonl");
    expect(accepted.length).toBeGreaterThan(50);
    expect(new Set(tags).size).toBe(tags.length);
    expect(accepted.filter((tag) => !tags.includes(tag))).toEqual([]);
  });

  it("has every push exactly once while its file is rotated, and keeps as many files as it should", async () => {
    const place = await mkdtemp(join(directory, "rotated-"));
    const gate = await startAudited({ output: { file: join(place, "audit.jsonl"), maxSize: "64KiB", keep: 20 } });
    const tags = Array.from({ length: 400 }, (_, number) => `rotated-${number}`);
    const queue = [...tags];
    const pusher = async (): Promise<void> => {
      for (let tag = queue.shift(); tag !== undefined; tag = queue.shift()) expect(await put(gate, tag)).toBe(201);
    };
    await Promise.all(Array.from({ length: 8 }, pusher));
    const names = await readdir(place);
    expect(names.length).toBeGreaterThan(2);
    for (const name of names) expect((await stat(join(place, name))).size).toBeLessThanOrEqual(64 * 1024);
    expect((await tagsOf(place, "audit.jsonl")).sort()).toEqual(tags.sort());
    // They are in their order, over all files.
    const times = (await eventsOf(place)).map(({ time }) => String(time));
    expect(times).toEqual([...times].sort());

    const few = await mkdtemp(join(directory, "few-"));
    const forgetful = await startAudited({ output: { file: join(few, "audit.jsonl"), maxSize: "64KiB", keep: 1 } });
    for (let number = 0; number < 400; number += 8) {
      await Promise.all(Array.from({ length: 8 }, (_, more) => put(forgetful, `few-${number + more}`)));
    }
    expect((await readdir(few)).sort()).toEqual(["audit.jsonl", "audit.jsonl.1"]);
  });

  it("is written to the end when the gate stops", async () => {
    const file = join(directory, "stopped.jsonl");
    const gate = await startAudited({ output: { file }, events: ["denied", "login-failed"] });
    const wrong = basic("alice", "wrong");
    await Promise.all(Array.from({ length: 50 }, () => fetch(`${gate.url}/v2/`, { headers: wrong })));
    gate.kill("SIGTERM");
    expect(await gate.ended).toBe(0);
    expect(await eventsOf(directory, "stopped.jsonl")).toHaveLength(50);
  });
});

describe("on a full disk", () => {
  async function fullDisk(): Promise<{ place: string; fill: () => Promise<void>; makeRoom: () => Promise<void> }> {
    const place = await mkdtemp(join(directory, "disk-"));
    await run("mount", ["-t", "tmpfs", "-o", "size=128k", "tmpfs", place]);
    mounts.push(place);
    const filler = join(place, "filler");
    return {
      place,
      async fill() {
        // As much as there is room for: the last write of it fails.
        await writeFile(filler, Buffer.alloc(256 * 1024)).catch(() => {});
      },
      makeRoom: () => rm(filler),
    };
  }

  it("an audit lets requests go on, says so once, and is written later", async () => {
    const { place, fill, makeRoom } = await fullDisk();
    const gate = await startAudited({ output: { file: join(place, "audit.jsonl") } });
    expect(await put(gate, "before")).toBe(201);
    await fill();
    // Until the page that the file has begun is full, there is room.
    const tags = Array.from({ length: 20 }, (_, number) => `full-${number}`);
    for (const tag of tags) expect(await put(gate, tag)).toBe(201);
    await gate.logged(({ event, reason }) => event === "audit failure" && reason === "ENOSPC");
    await makeRoom();
    await gate.logged(({ event }) => event === "audit written again");
    expect(await put(gate, "after")).toBe(201);
    expect(await tagsOf(place, "audit.jsonl")).toEqual(["before", ...tags, "after"]);
    expect(gate.lines().filter(({ event }) => event === "audit failure")).toHaveLength(1);
  });

  it("an audit that blocks refuses writes in words until it can be written, and lets reads go on", async () => {
    const { place, fill, makeRoom } = await fullDisk();
    const gate = await startAudited({ output: { file: join(place, "audit.jsonl") }, onFailure: "block" });
    expect(await put(gate, "before-block")).toBe(201);
    await fill();
    const statuses: number[] = [];
    for (let number = 0; number < 20; number++) statuses.push(await put(gate, `blocked-${number}`));
    const first = statuses.indexOf(503);
    expect(first).toBeGreaterThanOrEqual(0);
    expect(new Set(statuses.slice(first))).toEqual(new Set([503]));
    const upload = await fetch(`${gate.url}/v2/team/app/blobs/uploads/`, { method: "POST", headers: alice });
    expect(upload.status).toBe(503);
    expect(upload.headers.get("retry-after")).not.toBeNull();
    expect(await upload.text()).toContain("writes cannot be recorded at the moment");
    const read = { headers: { ...alice, Accept: manifestType } };
    expect((await fetch(`${gate.url}/v2/team/app/manifests/first`, read)).status).toBe(200);
    await makeRoom();
    await gate.logged(({ event }) => event === "audit written again");
    expect(await put(gate, "after-block")).toBe(201);
    const tags = await tagsOf(place, "audit.jsonl");
    expect(new Set(tags).size).toBe(tags.length);
    // Those that the registry never saw are refused, and of those that it saw none is missing.
    const list: unknown = await (await fetch(`${registry.url}/v2/team/app/tags/list`)).json();
    const pushed =
      typeof list === "object" && list !== null && "tags" in list && Array.isArray(list.tags) ? list.tags : [];
    const events = await eventsOf(place, "audit.jsonl");
    const reached = events.filter(({ event, status }) => event === "push" && status === 201).map(({ tag }) => tag);
    expect(reached.sort()).toEqual(pushed.filter((tag: string) => /-block$|^blocked-/.test(tag)).sort());
  });
});

it("the digest of a pushed manifest is that of its bytes", async () => {
  const file = join(directory, "digest.jsonl");
  const gate = await startAudited({ output: { file } });
  await put(gate, "digest");
  const [line = ""] = linesOf(await readFile(file, "utf8"));
  expect(parseEvent(line).digest).toBe(`sha256:${createHash("sha256").update(manifestOf(layer)).digest("hex")}`);
});
