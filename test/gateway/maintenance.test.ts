import { rm, writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { basic } from "../support/basic.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import type { LogLine } from "../support/logged-server.ts";
import { passwordFile } from "../support/password-file.ts";
import { type ScriptedUpstream, startUpstream } from "../support/upstream.ts";

const headers = basic("alice", "alice-password");
const upload = "/v2/team/app/blobs/uploads/0f0c5ff3-2f2f-4f2f-9f2f-0f0c5ff32f2f";

let upstream: ScriptedUpstream;
/** Responses to what must wait. */
let held: ServerResponse[];
const gates: RunningGate[] = [];

beforeEach(async () => {
  held = [];
  upstream = await startUpstream((request, response) => {
    request.resume();
    if (request.url?.includes("hold") === true) held.push(response);
    else response.writeHead(202).end();
  });
});

afterEach(async () => {
  for (const gate of gates.splice(0)) await gate.close();
  await upstream.close();
});

const configuration = (maintenance?: object): object => ({
  listen: { address: "127.0.0.1:0" },
  upstream: { url: upstream.url },
  auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
  ...(maintenance && { maintenance }),
});

async function start(maintenance?: object, files: Readonly<Record<string, string>> = {}): Promise<RunningGate> {
  const htpasswd = await passwordFile({ alice: "alice-password" });
  const gate = await startGate({ configuration: configuration(maintenance), files: { htpasswd, ...files } });
  gates.push(gate);
  return gate;
}

const patch = async (gate: RunningGate): Promise<number> =>
  (await fetch(gate.url + upload, { method: "PATCH", headers, body: "chunk" })).status;

const states = (gate: RunningGate): readonly LogLine[] => gate.lines().filter(({ event }) => event === "read-only");

/** Waits for the state that follows `known` others. */
async function nextState(gate: RunningGate, known: number): Promise<LogLine | undefined> {
  await expect.poll(() => states(gate).length).toBeGreaterThan(known);
  return states(gate)[known];
}

describe("the registry is read-only", () => {
  test("while the configuration says so, live", async () => {
    const gate = await start({ readOnly: false });
    expect(await patch(gate)).toBe(202);
    await gate.configure(configuration({ readOnly: true }));
    expect(await nextState(gate, 0)).toMatchObject({ readOnly: true, causes: ["configuration"], writesInFlight: 0 });
    expect(await patch(gate)).toBe(503);
    expect((await fetch(`${gate.url}/v2/`, { headers })).status).toBe(202);
    await gate.configure(configuration());
    expect(await nextState(gate, 1)).toMatchObject({ readOnly: false, causes: [] });
    expect(await patch(gate)).toBe(202);
  });

  test("while a file exists, whatever is in it", async () => {
    const gate = await start({ file: "read-only" });
    expect(await patch(gate)).toBe(202);
    await writeFile(join(gate.directory, "read-only"), "");
    expect(await nextState(gate, 0)).toMatchObject({ readOnly: true, causes: ["file"] });
    expect(await patch(gate)).toBe(503);
    await rm(join(gate.directory, "read-only"));
    expect(await nextState(gate, 1)).toMatchObject({ readOnly: false });
    expect(await patch(gate)).toBe(202);
  });

  test("from the first request on if the file exists at the start", async () => {
    const gate = await start({ file: "read-only" }, { "read-only": "" });
    expect(await patch(gate)).toBe(503);
    expect(states(gate)).toMatchObject([{ readOnly: true, causes: ["file"] }]);
  });

  test("from one SIGUSR2 to the next", async () => {
    const gate = await start();
    gate.kill("SIGUSR2");
    expect(await nextState(gate, 0)).toMatchObject({ readOnly: true, causes: ["signal"] });
    expect(await patch(gate)).toBe(503);
    gate.kill("SIGUSR2");
    expect(await nextState(gate, 1)).toMatchObject({ readOnly: false });
    expect(await patch(gate)).toBe(202);
  });

  test("until nothing says so any more: neither a signal nor a reload ends what a file has begun", async () => {
    const gate = await start({ file: "read-only" }, { "read-only": "" });
    gate.kill("SIGUSR2");
    expect(await nextState(gate, 1)).toMatchObject({ readOnly: true, causes: ["file", "signal"] });
    gate.kill("SIGHUP");
    await gate.logged(({ event }) => event === "reloaded");
    expect(await patch(gate)).toBe(503);
    gate.kill("SIGUSR2");
    expect(await nextState(gate, 2)).toMatchObject({ readOnly: true, causes: ["file"] });
    expect(await patch(gate)).toBe(503);
    await rm(join(gate.directory, "read-only"));
    expect(await nextState(gate, 3)).toMatchObject({ readOnly: false, causes: [] });
    expect(await patch(gate)).toBe(202);
  });
});

describe("the log", () => {
  const noWrites = (gate: RunningGate): number =>
    gate.lines().filter(({ event }) => event === "no writes in flight").length;

  test("says when the last write in flight has ended, of former configurations too", async () => {
    const gate = await start({ file: "read-only" });
    const write = fetch(`${gate.url}/v2/team/hold/manifests/v1`, { method: "PUT", headers, body: "{}" });
    await expect.poll(() => held.length).toBe(1);
    gate.kill("SIGHUP");
    await gate.logged(({ event }) => event === "reloaded");
    await writeFile(join(gate.directory, "read-only"), "");
    expect(await nextState(gate, 0)).toMatchObject({ readOnly: true, writesInFlight: 1 });
    expect(await patch(gate)).toBe(503);
    expect(noWrites(gate)).toBe(0);
    held[0]?.writeHead(201).end();
    expect((await write).status).toBe(201);
    await gate.logged(({ event }) => event === "no writes in flight");
    // Who makes it read-only for a second reason waits for the same line.
    gate.kill("SIGUSR2");
    await expect.poll(() => noWrites(gate)).toBe(2);
  });

  test("says nothing of the kind where writes are admitted again before that", async () => {
    const gate = await start();
    const write = fetch(`${gate.url}/v2/team/hold/manifests/v1`, { method: "PUT", headers, body: "{}" });
    await expect.poll(() => held.length).toBe(1);
    gate.kill("SIGUSR2");
    await nextState(gate, 0);
    gate.kill("SIGUSR2");
    await nextState(gate, 1);
    held[0]?.writeHead(201).end();
    expect((await write).status).toBe(201);
    expect(await patch(gate)).toBe(202);
    expect(noWrites(gate)).toBe(0);
  });
});
