import { appendFile, readFile, rename, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { auditEventFault } from "../../apps/gateway/src/audit/audit-schema.ts";
import { basic } from "../support/basic.ts";
import { type DockerRegistry, startDockerRegistry } from "../support/docker-registry.ts";
import { type GateSettings, type RunningGate, startGate } from "../support/gate.ts";
import { passwordFile } from "../support/password-file.ts";
import { manifestOf, manifestType, pushImage, startUpload } from "../support/registry-content.ts";
import { type AuditedEvent, auditOf, linesOf, parseEvent, printedSchema } from "./audited-gate.ts";

let registry: DockerRegistry;
let htpasswd: string;
const gates: RunningGate[] = [];

const users = { alice: "alice-password", bob: "bob-password" };
const alice = basic("alice", users.alice);
const bob = basic("bob", users.bob);
const access = [
  { subjects: ["group:readers"], repositories: ["**"], actions: ["pull"] },
  { subjects: ["user:alice"], repositories: ["team/**"], actions: ["*"] },
];

beforeAll(async () => {
  [registry, htpasswd] = await Promise.all([startDockerRegistry(), passwordFile(users)]);
});
afterAll(async () => {
  await Promise.all(gates.map((gate) => gate.close()));
  await registry?.close();
});

function configurationOf(audit: object, more: object = {}): object {
  return {
    listen: { address: "127.0.0.1:0" },
    upstream: { url: registry.url },
    auth: { backends: [{ type: "htpasswd", file: "htpasswd", groupFile: "groups" }], throttle: false },
    access,
    audit,
    ...more,
  };
}

async function startAudited(
  audit: object,
  more: object = {},
  settings: Partial<GateSettings> = {},
): Promise<RunningGate> {
  const gate = await startGate({
    configuration: configurationOf(audit, more),
    files: { htpasswd, groups: "readers: bob\n" },
    ...settings,
  });
  gates.push(gate);
  return gate;
}

const toFile = { output: { file: "audit.jsonl" } };

/** The events of a gate, once there are so many. */
async function eventsOf(gate: RunningGate, count: number): Promise<AuditedEvent[]> {
  await expect.poll(async () => (await auditOf(gate)).length).toBeGreaterThanOrEqual(count);
  // One too many would come now.
  await delay(100);
  const events = await auditOf(gate);
  for (const event of events) expect(auditEventFault(event), JSON.stringify(event)).toBeUndefined();
  return events;
}

describe("an audit file", () => {
  it("has one line for a push, a delete, a denial and a failed login, and none for reads", async () => {
    const gate = await startAudited(toFile);
    const { manifest } = await pushImage({ url: gate.url, headers: alice }, "team/app", "v1", "a layer");
    const url = `${gate.url}/v2/team/app/manifests`;
    expect((await fetch(`${url}/v1`, { headers: { ...bob, Accept: manifestType } })).status).toBe(200);
    expect((await fetch(`${url}/v1`)).status).toBe(401);
    const put = {
      method: "PUT",
      body: "{}",
      headers: { ...bob, "Content-Type": manifestType, "User-Agent": "podman/5" },
    };
    expect((await fetch(`${url}/v2`, put)).status).toBe(403);
    expect((await fetch(`${url}/v1`, { headers: basic("bob", "wrong") })).status).toBe(401);
    expect((await fetch(`${url}/${manifest}`, { method: "DELETE", headers: alice })).status).toBe(202);

    const events = await eventsOf(gate, 4);
    const common = { address: "127.0.0.1", repository: "team/app" };
    expect(events).toMatchObject([
      {
        ...common,
        event: "push",
        subject: "alice",
        username: "alice",
        backend: "htpasswd",
        via: "basic",
        groups: [],
        operation: "put-manifest",
        method: "PUT",
        tag: "v1",
        digest: manifest,
        decision: "allowed",
        rule: 1,
        bytes: Buffer.byteLength(manifestOf("a layer")),
        outcome: "completed",
        status: 201,
      },
      {
        ...common,
        event: "denied",
        username: "bob",
        groups: ["readers"],
        agent: "podman/5",
        operation: "put-manifest",
        tag: "v2",
        decision: "denied",
        status: 403,
      },
      { ...common, event: "login-failed", attemptedUsername: "bob", decision: "unauthenticated", status: 401 },
      {
        ...common,
        event: "delete",
        username: "alice",
        operation: "delete-manifest",
        digest: manifest,
        status: 202,
        rule: 1,
      },
    ]);
    expect(events).toHaveLength(4);
    expect(new Set(events.map(({ id }) => id)).size).toBe(4);
    for (const { requestId } of events) {
      await gate.logged((line) => line.event === "request" && line.requestId === requestId);
    }
    expect((await stat(join(gate.directory, "audit.jsonl"))).mode & 0o777).toBe(0o640);
  });

  it("has pulls and blobs where they are asked for, and nothing that is not", async () => {
    const gate = await startAudited({ ...toFile, events: ["pull", "blob"] });
    const caller = { url: gate.url, headers: alice };
    const { blob, manifest } = await pushImage(caller, "team/source", "v1", "another layer");
    const mount = `${gate.url}/v2/team/target/blobs/uploads/?mount=${blob}&from=team/source`;
    expect((await fetch(mount, { method: "POST", headers: alice })).status).toBe(201);
    await startUpload(caller, "team/source");
    const url = `${gate.url}/v2/team/source`;
    for (const method of ["HEAD", "GET"]) {
      await (await fetch(`${url}/manifests/v1`, { method, headers: { ...bob, Accept: manifestType } })).arrayBuffer();
      await (await fetch(`${url}/blobs/${blob}`, { method, headers: bob })).arrayBuffer();
    }
    expect(await eventsOf(gate, 5)).toMatchObject([
      { event: "blob", operation: "finish-upload", digest: blob, status: 201 },
      { event: "blob", operation: "finish-upload", status: 201 },
      { event: "blob", operation: "start-upload", repository: "team/target", digest: blob, status: 201 },
      {
        event: "pull",
        method: "GET",
        operation: "get-manifest",
        tag: "v1",
        digest: manifest,
        username: "bob",
        rule: 0,
      },
      { event: "blob", method: "GET", operation: "get-blob", digest: blob, bytes: "another layer".length },
    ]);
  });

  it("has a denied part of an upload, throttled logins, and no names where the log has none", async () => {
    const gate = await startAudited(toFile, {
      log: { attemptedNames: false },
      auth: { backends: [{ type: "htpasswd", file: "htpasswd" }], throttle: { perUserAndAddress: "1/1m" } },
    });
    await fetch(`${gate.url}/v2/team/app/blobs/uploads/`, { method: "POST", headers: bob });
    const wrong = basic("canary-name", "wrong");
    for (const status of [401, 429]) expect((await fetch(`${gate.url}/v2/`, { headers: wrong })).status).toBe(status);
    expect(await eventsOf(gate, 3)).toMatchObject([
      { event: "denied", operation: "start-upload", username: "bob" },
      { event: "login-failed", operation: "ping" },
      { event: "throttled", decision: "throttled", status: 429 },
    ]);
    expect(await readFile(join(gate.directory, "audit.jsonl"), "utf8")).not.toContain("canary-name");
  });

  it("says what a reload changed and what caused it, and why one was rejected, without secrets", async () => {
    const auth = { realm: "canary-one", backends: [{ type: "htpasswd", file: "htpasswd", groupFile: "groups" }] };
    const gate = await startAudited(toFile, { auth });
    await gate.configure(
      configurationOf(toFile, {
        auth: { ...auth, realm: "canary-two", cache: { maxEntries: 7 } },
        access: [...access, { ...access[0], subjects: ["user:eve"] }],
      }),
    );
    await eventsOf(gate, 1);
    await gate.configure(
      configurationOf(toFile, { access: [{ subjects: ["canary-three"], repositories: ["**"], actions: ["pull"] }] }),
    );
    await eventsOf(gate, 2);
    gate.kill("SIGHUP");
    const [applied, ...rejected] = await eventsOf(gate, 3);
    expect(applied).toMatchObject({ event: "reload", outcome: "reloaded", cause: "file" });
    expect(applied?.changes).toEqual(
      expect.arrayContaining([
        { path: "auth.realm" },
        { path: "auth.cache.maxEntries", to: 7 },
        { path: "access[2].subjects[0]", to: "user:eve" },
      ]),
    );
    expect(rejected).toMatchObject([
      { event: "reload", outcome: "rejected", cause: "file", faults: [expect.stringContaining("access[0]")] },
      { event: "reload", outcome: "rejected", cause: "signal" },
    ]);
    expect(await readFile(join(gate.directory, "audit.jsonl"), "utf8")).not.toContain("canary-");
  });

  it("records in both places that it moves to another one", async () => {
    const gate = await startAudited(toFile);
    await gate.configure(configurationOf({ output: { file: "other.jsonl" } }));
    await gate.logged(({ event }) => event === "reloaded");
    await pushImage({ url: gate.url, headers: alice }, "team/moved", "v1", "a layer");
    await expect.poll(async () => (await auditOf(gate, "other.jsonl")).length).toBe(2);
    expect(await auditOf(gate)).toMatchObject([{ event: "reload", changes: [{ path: "audit.output.file" }] }]);
    expect(await auditOf(gate, "other.jsonl")).toMatchObject([{ event: "reload" }, { event: "push" }]);
  });

  it("is opened anew where it was moved away, at once after SIGHUP and else within a second", async () => {
    const gate = await startAudited(toFile);
    const path = join(gate.directory, "audit.jsonl");
    const caller = { url: gate.url, headers: alice };
    await pushImage(caller, "team/one", "v1", "a layer");
    await rename(path, join(gate.directory, "moved-1"));
    gate.kill("SIGHUP");
    await expect.poll(async () => (await readFile(path, "utf8").catch(() => "")).includes("reload")).toBe(true);
    await rename(path, join(gate.directory, "moved-2"));
    await delay(1100);
    await pushImage(caller, "team/two", "v1", "a layer");
    expect(linesOf(await readFile(join(gate.directory, "moved-1"), "utf8")).map(parseEvent)).toMatchObject([
      { event: "push", repository: "team/one" },
    ]);
    expect(await auditOf(gate)).toMatchObject([{ event: "push", repository: "team/two" }]);
  });

  it("begins a new line after a torn one", async () => {
    const gate = await startAudited(toFile);
    gate.kill("SIGKILL");
    await gate.ended;
    await appendFile(join(gate.directory, "audit.jsonl"), '{"id":"torn');
    const next = await startGate({
      configuration: configurationOf({ output: { file: join(gate.directory, "audit.jsonl") } }),
      files: { htpasswd, groups: "readers: bob\n" },
    });
    gates.push(next);
    await pushImage({ url: next.url, headers: alice }, "team/torn", "v1", "a layer");
    const lines = linesOf(await readFile(join(gate.directory, "audit.jsonl"), "utf8"));
    expect(lines[0]).toBe('{"id":"torn');
    expect(lines.slice(1).map(parseEvent)).toMatchObject([{ event: "push", repository: "team/torn" }]);
  });

  it("is never a symbolic link, a directory or a file that cannot be made", async () => {
    const gate = await startAudited(toFile);
    await writeFile(join(gate.directory, "target"), "");
    await symlink(join(gate.directory, "target"), join(gate.directory, "link"));
    for (const [file, fault] of [
      ["link", /audit\.output\.file: is a symbolic link, which is not followed/],
      [".", /audit\.output\.file: cannot be written \(EISDIR\)/],
      ["missing/audit.jsonl", /audit\.output\.file: cannot be written \(no such directory\)/],
    ] as const) {
      await gate.configure(configurationOf({ output: { file } }));
      const line = await gate.logged(
        ({ event, faults }) =>
          event === "reload refused" && Array.isArray(faults) && faults.some((text) => fault.test(text)),
      );
      expect(line).toBeDefined();
    }
  });
});

describe("an audit on standard output", () => {
  it("stands between the lines of the log, whole", async () => {
    const gate = await startAudited({ output: "stdout", events: ["push"] });
    await pushImage({ url: gate.url, headers: alice }, "team/stdout", "v1", "a layer");
    const line = await gate.logged(({ event }) => event === "push");
    expect(auditEventFault(line)).toBeUndefined();
    expect(line).toMatchObject({ repository: "team/stdout", status: 201 });
  });
});

it("the printed schema names each member of an event, and which are always there", async () => {
  const { properties, required } = await printedSchema();
  expect(required).toEqual(["id", "time", "event", "outcome"]);
  for (const name of ["subject", "username", "attemptedUsername", "rule", "bytes", "digest", "groups", "changes"]) {
    expect(properties).toHaveProperty(name);
  }
});
