import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { basic } from "../support/basic.ts";
import { gateCommand, type RunningGate, startGate } from "../support/gate.ts";
import type { LogLine } from "../support/logged-server.ts";
import { runCommand } from "../support/run.ts";
import { type ScriptedUpstream, startUpstream } from "../support/upstream.ts";

/**
 * A mistake of the gate's own: at SIGUSR2 it fails where nobody catches it, in the way that a file says. No backend's code
 * is at work there: their errors are the failure of a login, and do not end the process.
 */
const source = `
  import { existsSync, readFileSync } from "node:fs";
  const failures = {
    timer: () => setTimeout(() => { throw Object.assign(new RangeError("thrown in a timer"), { code: "E_TIMER" }); }, 10),
    rejection: () => void Promise.reject(new TypeError("rejected, and nobody awaits it")),
    word: () => void Promise.reject("canary"),
    value: () => setTimeout(() => { throw { password: "canary" }; }, 10),
    trap: () => setTimeout(() => { throw new Proxy(new Error(), { get() { throw new Error("do not look"); } }); }, 10),
    again: () => setInterval(() => { throw new Error("thrown again and again"); }, 5),
  };
  process.on("SIGUSR2", () => failures[readFileSync("failure", "utf8")]());
  if (existsSync("fail-at-start")) setTimeout(() => { throw new Error("thrown while the gate starts"); }, 10);
`;

/** A third party's backend that knows everybody, does not close, and leaves a timer behind. */
const backendSource = `
  export const plugin = {
    type: "lasting",
    apiVersion: 1,
    async open(options) {
      if (options.slow === true) await new Promise((resolve) => setTimeout(resolve, 5000));
      setInterval(() => {}, 1000);
      return {
        id: "lasting",
        authenticate: async () =>
          ({ status: "authenticated", identity: { subject: "a", username: "a", groups: [], backend: "lasting" } }),
        close: () => new Promise(() => {}),
      };
    },
  };
`;

const size = 1024 * 1024;
const content = randomBytes(size);
let downloads: ServerResponse[] = [];
let upstream: ScriptedUpstream;
let plugin: string;

beforeAll(async () => {
  upstream = await startUpstream((request, response) => {
    request.resume();
    if (request.url?.includes("/blobs/") !== true) return void response.end("{}");
    response.writeHead(200, { "content-length": size });
    response.write(content.subarray(0, size / 2));
    downloads.push(response);
  });
  plugin = await mkdtemp(join(tmpdir(), "lasting-plugin-"));
  await writeFile(
    join(plugin, "package.json"),
    JSON.stringify({ name: "lasting", type: "module", exports: "./index.js" }),
  );
  await writeFile(join(plugin, "index.js"), backendSource);
  await writeFile(join(plugin, "failing.mjs"), source);
});

const toClose: RunningGate[] = [];

afterEach(async () => {
  downloads = [];
  for (const gate of toClose.splice(0)) await gate.close();
});

afterAll(async () => {
  await upstream.close();
  await rm(plugin, { recursive: true, force: true });
});

const configuration = (more: object = {}): object => ({
  listen: { address: "127.0.0.1:0" },
  upstream: { url: upstream.url },
  auth: { backends: [{ type: "lasting", ...more }], cache: false },
});

/** Makes a process fail on demand. */
const failing = (): string => `--import=${pathToFileURL(join(plugin, "failing.mjs"))}`;

async function start(): Promise<RunningGate> {
  const gate = await startGate({
    configuration: configuration(),
    packages: { lasting: plugin },
    nodeOptions: [failing()],
  });
  toClose.push(gate);
  return gate;
}

async function fail(gate: RunningGate, failure: string): Promise<void> {
  await gate.put("failure", failure);
  gate.kill("SIGUSR2");
}

const blob = `/v2/team/app/blobs/sha256:${"0".repeat(64)}`;

/** Begins a download whose second half is still to come. */
async function beginDownload(gate: RunningGate): Promise<Response> {
  const before = downloads.length;
  const response = await fetch(gate.url + blob, { headers: basic("anybody", "x") });
  await expect.poll(() => downloads.length).toBe(before + 1);
  return response;
}

function endDownloads(): void {
  for (const response of downloads) response.end(content.subarray(size / 2));
}

const isUncaught = ({ event }: LogLine): boolean => event === "uncaught error";

describe("an uncaught error lets requests in flight finish, takes no new ones, and ends the process with 1", () => {
  test.each([
    ["timer", { type: "RangeError", message: "thrown in a timer", code: "E_TIMER" }],
    ["rejection", { type: "TypeError", message: "rejected, and nobody awaits it" }],
    ["word", { type: "string" }],
    ["value", { type: "object" }],
  ])("%s", async (failure, err) => {
    const gate = await start();
    const download = await beginDownload(gate);
    await fail(gate, failure);
    expect(await gate.logged(isUncaught)).toMatchObject({ level: "error", err });
    await expect.poll(() => fetch(gate.url).catch(() => "refused")).toBe("refused");
    endDownloads();
    expect(Buffer.from(await download.arrayBuffer()).equals(content)).toBe(true);
    expect(await gate.ended).toBe(1);
    expect(gate.output()).not.toContain("canary");
    expect(gate.output()).not.toContain("at Timeout");
    expect(gate.output()).not.toContain("index.js");
  });
});

test("an error that cannot even be looked at ends the process in the same way", async () => {
  const gate = await start();
  const download = await beginDownload(gate);
  await fail(gate, "trap");
  await gate.logged(({ event }) => event === "stopping");
  endDownloads();
  expect(Buffer.from(await download.arrayBuffer()).equals(content)).toBe(true);
  expect(await gate.ended).toBe(1);
});

test("errors that come again and again are logged a few times, and cut nothing short", async () => {
  const gate = await start();
  const download = await beginDownload(gate);
  await fail(gate, "again");
  await gate.logged(({ event }) => event === "stopping");
  await new Promise((resolve) => setTimeout(resolve, 1000));
  endDownloads();
  expect(Buffer.from(await download.arrayBuffer()).equals(content)).toBe(true);
  expect(await gate.ended).toBe(1);
  expect(gate.lines().filter(isUncaught)).toHaveLength(10);
  expect(gate.lines().filter(({ event }) => event === "stopping")).toHaveLength(1);
});

test("SIGTERM after such an error changes nothing, and a second one ends at once", async () => {
  const gate = await start();
  const download = await beginDownload(gate);
  await fail(gate, "timer");
  await gate.logged(({ event }) => event === "stopping");
  gate.kill("SIGTERM");
  await new Promise((resolve) => setTimeout(resolve, 500));
  const ended = gate.ended;
  expect(await Promise.race([ended, Promise.resolve("running")])).toBe("running");
  gate.kill("SIGTERM");
  expect(await ended).toBe(1);
  await expect(download.arrayBuffer()).rejects.toThrow();
});

test("SIGTERM ends the process, whatever a plugin leaves behind", async () => {
  const gate = await start();
  await (await fetch(`${gate.url}/v2/`, { headers: basic("anybody", "x") })).text();
  gate.kill("SIGTERM");
  // Far less than the time limit with requests.
  expect(await Promise.race([gate.ended, new Promise((resolve) => setTimeout(resolve, 15_000, "late").unref())])).toBe(
    0,
  );
});

test("an uncaught error while the gate starts is one line, and exit code 1", async () => {
  const directory = await mkdtemp(join(tmpdir(), "failing-start-"));
  await mkdir(join(directory, "node_modules"));
  await writeFile(join(directory, "gate.yaml"), JSON.stringify(configuration({ slow: true })));
  await writeFile(join(directory, "fail-at-start"), "");
  await symlink(plugin, join(directory, "node_modules/lasting"));
  const [program, ...before] = gateCommand;
  expect(await runCommand(program, [failing(), ...before, "serve", "--config", "gate.yaml"], { directory })).toEqual({
    code: 1,
    stdout: "",
    stderr: "registry-gate: thrown while the gate starts\n",
  });
});
