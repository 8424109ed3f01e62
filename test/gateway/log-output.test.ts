import { execFileSync } from "node:child_process";
import { closeSync, constants, createReadStream, createWriteStream, openSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { startable } from "../programs/startable.ts";
import { basic } from "../support/basic.ts";
import type { LogLine } from "../support/logged-server.ts";
import { passwordFile } from "../support/password-file.ts";
import { connectRaw } from "../support/raw-client.ts";
import { run } from "../support/run.ts";
import { type ScriptedUpstream, startUpstream } from "../support/upstream.ts";
import { type GateWithOutput, startGateWithOutput } from "./gate-with-output.ts";

/** Whatever becomes of the standard output, requests are answered and SIGTERM is obeyed. */

let upstream: ScriptedUpstream;
let directory: string;
let files: Record<string, string>;
const toClose: (() => Promise<void> | void)[] = [];

beforeAll(async () => {
  upstream = await startUpstream((request, response) => {
    // A blob begins and never ends.
    if (request.url?.includes("/blobs/") !== true) return void response.end("{}");
    response.writeHead(200, { "content-length": "100" }).write("the beginning");
  });
  directory = await mkdtemp(join(tmpdir(), "log-output-"));
  files = { htpasswd: await passwordFile({ alice: "alice-password" }) };
});

afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close();
});

afterAll(async () => {
  await upstream.close();
  await rm(directory, { recursive: true, force: true });
});

/** A third party's backend that lets everybody in, and talks. */
const talkative = `
  export const plugin = {
    type: "talkative",
    apiVersion: 1,
    async open() {
      return {
        id: "talkative",
        async authenticate() {
          for (let line = 0; line < 100; line++) {
            console.log("x".repeat(1000));
            console.error("x".repeat(1000));
          }
          return { status: "authenticated", identity: { subject: "a", username: "a", groups: [], backend: "talkative" } };
        },
      };
    },
  };
`;

async function start(output: number | "pipe", onTerminal = false, listen: object = {}): Promise<GateWithOutput> {
  const configuration = {
    upstream: { url: upstream.url },
    auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
    limits: { connectionsPerAddress: 10_000 },
  };
  const gate = await startGateWithOutput({ configuration, listen, files, output, onTerminal });
  toClose.push(() => gate.close());
  return gate;
}

/** Pings, one after the other, on connections of their own. */
async function expectResponses(gate: GateWithOutput, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const response = await fetch(`${gate.url}/v2/`, { headers: basic("alice", "alice-password") });
    expect(response.status).toBe(200);
    await response.text();
  }
}

/** How long the gate may take to its end when no request is in flight: far less than the time limit of its drain. */
const ending = 10_000;

async function expectToEnd(gate: GateWithOutput): Promise<void> {
  gate.process.kill("SIGTERM");
  const late = delay(ending, "still running", { ref: false });
  expect(await Promise.race([gate.ended, late])).toBe(0);
  expect(gate.errors()).toBe("");
}

/** A named pipe: a descriptor to write to, and one that keeps it open and reads nothing. */
function namedPipe(name: string): { path: string; reader: number; writer: number } {
  const path = join(directory, name);
  execFileSync(startable("mkfifo"), [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { path, reader, writer: openSync(path, constants.O_WRONLY) };
}

/** Sends so many requests without a login, on one connection and each after the response to the one before. */
async function requestManyTimes(gate: GateWithOutput, count: number): Promise<void> {
  const connections = 8;
  const target = `/v2/${"long-name-of-a-repository/".repeat(8)}app/tags/list`;
  const head = `GET ${target} HTTP/1.1\r\nHost: registry.example.com\r\n\r\n`;
  const clients = await Promise.all(Array.from({ length: connections }, () => connectRaw(gate.url)));
  const ask = async ({ socket }: (typeof clients)[number]): Promise<void> => {
    socket.removeAllListeners("data");
    for (let index = 0; index < count / connections; index++) {
      const answered = new Promise<void>((resolve, reject) => {
        socket.once("data", () => resolve());
        socket.once("close", () => reject(new Error("closed")));
      });
      socket.write(head);
      await answered;
      socket.removeAllListeners("close");
    }
  };
  await Promise.all(clients.map(ask));
  for (const { socket } of clients) socket.destroy();
}

function linesIn(text: string): LogLine[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

test("a disk without space delays neither requests nor the end", async () => {
  const full = openSync("/dev/full", "w");
  const gate = await start(full);
  closeSync(full);
  await expectResponses(gate, 20);
  await expectToEnd(gate);
});

test("a pipe that nobody reads delays neither requests nor the end", async () => {
  const { reader, writer } = namedPipe("unread");
  toClose.push(() => closeSync(reader));
  const gate = await start(writer);
  closeSync(writer);
  await requestManyTimes(gate, 2000);
  await expectResponses(gate, 20);
  await expectToEnd(gate);
});

test("a request that never ends is cut within listen.drainTimeout, although nobody reads a full pipe", async () => {
  const { reader, writer } = namedPipe("full");
  toClose.push(() => closeSync(reader));
  const gate = await start(writer, false, { drainTimeout: "2s" });
  // All that a pipe holds on Linux.
  const filler = createWriteStream("", { fd: writer });
  filler.on("error", () => {});
  filler.end(Buffer.alloc(256 * 1024));
  toClose.push(() => void filler.destroy());
  const { body } = await fetch(`${gate.url}/v2/team/app/blobs/sha256:${"0".repeat(64)}`, {
    headers: basic("alice", "alice-password"),
  });
  const cut = new Response(body).text().catch(() => "cut");
  await expectToEnd(gate);
  expect(await cut).toBe("cut");
});

test("a pipe whose reader has gone delays neither requests nor the end", async () => {
  const { reader, writer } = namedPipe("closed");
  const gate = await start(writer);
  closeSync(writer);
  closeSync(reader);
  await expectResponses(gate, 20);
  await expectToEnd(gate);
});

test("a socket whose reader has gone delays neither requests nor the end", async () => {
  // What Node calls a pipe to a child process is a socket.
  const gate = await start("pipe");
  gate.process.stdout?.destroy();
  await expectResponses(gate, 20);
  await expectToEnd(gate);
});

test("a plugin may talk to outputs whose readers have gone", async () => {
  const gate = await startGateWithOutput({
    configuration: { upstream: { url: upstream.url }, auth: { backends: [{ type: "talkative" }], cache: false } },
    files: {
      "node_modules/talkative/package.json": JSON.stringify({ type: "module", exports: "./index.js" }),
      "node_modules/talkative/index.js": talkative,
    },
    output: "pipe",
  });
  toClose.push(() => gate.close());
  gate.process.stdout?.destroy();
  gate.process.stderr?.destroy();
  await expectResponses(gate, 20);
  await expectToEnd(gate);
});

test("a terminal that stands still delays neither requests nor the end", async () => {
  const { reader, writer } = namedPipe("terminal");
  toClose.push(() => closeSync(reader));
  const gate = await start(writer, true);
  closeSync(writer);
  await requestManyTimes(gate, 2000);
  await expectResponses(gate, 20);
  process.kill(gate.pid, "SIGTERM");
  // The terminal stands still as well, and does not ask for its exit code.
  const status = (): Promise<string> => readFile(`/proc/${gate.pid}/stat`, "utf8").catch(() => "gone");
  await expect.poll(status, { timeout: ending }).toMatch(/^gone$|\) Z /);
});

test("a new reader of a named pipe gets the log again", async () => {
  const { path, reader, writer } = namedPipe("reopened");
  const gate = await start(writer);
  closeSync(writer);
  closeSync(reader);
  await expectResponses(gate, 20);
  const stream = createReadStream(path, "utf8");
  toClose.push(() => void stream.destroy());
  let text = "";
  stream.on("data", (chunk) => {
    text += chunk;
  });
  await expect.poll(() => text.match(/"event":"request"/g)?.length).toBeGreaterThanOrEqual(20);
  await expectToEnd(gate);
});

test("what a slow reader misses is counted, and said in its place; what is held for it is bounded", async () => {
  const { path, reader, writer } = namedPipe("slow");
  const gate = await start(writer);
  closeSync(writer);
  const count = 16_000;
  await requestManyTimes(gate, count);
  // A second descriptor: closing it closes this reader alone.
  const stream = createReadStream(path, "utf8");
  toClose.push(() => void stream.destroy());
  let text = "";
  stream.on("data", (chunk) => {
    text += chunk;
  });
  closeSync(reader);
  await expect.poll(() => text).toContain('"event":"log lines dropped"');
  await expectResponses(gate, 1);
  await expect.poll(() => text).toContain('"username":"alice"');

  const lines = linesIn(text);
  const requests = lines.filter(({ event, username }) => event === "request" && username === undefined);
  const drops = lines.filter(({ event }) => event === "log lines dropped");
  const dropped = drops.reduce((sum, line) => sum + Number(line.lines), 0);
  expect(drops[0]).toMatchObject({ level: "error", reason: "EAGAIN", msg: "the log could not be written" });
  expect(dropped).toBeGreaterThan(0);
  expect(requests.length + dropped).toBe(count);
  const megabytes = Buffer.byteLength(text) / 1024 ** 2;
  expect(megabytes).toBeLessThan(4.5);
  // In the place of those that are missing: behind all that were held, before what came later.
  expect(lines.indexOf(drops[0] ?? {})).toBe(lines.length - 2);
  await expectToEnd(gate);
});

test("a disk that has space again gets every line that was held", async () => {
  if (process.getuid?.() !== 0) throw new Error("mount needs root");
  const disk = join(directory, "disk");
  await mkdir(disk);
  await run("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", disk]);
  toClose.push(async () => void (await run("umount", ["--lazy", disk])));
  const file = openSync(join(disk, "log"), "a");
  const gate = await start(file);
  closeSync(file);
  const log = (): Promise<string> => readFile(join(disk, "log"), "utf8");
  await expect.poll(log).toContain('"event":"listening"');
  await writeFile(join(disk, "filler"), Buffer.alloc(60 * 1024)).catch(() => {});
  await requestManyTimes(gate, 1000);
  expect((await log()).match(/"event":"request"/g)?.length ?? 0).toBeLessThan(1000);
  await run("mount", ["-o", "remount,size=8m", disk]);
  await expect.poll(async () => (await log()).match(/"event":"request"/g)?.length).toBe(1000);
  expect(linesIn(await log()).filter(({ event }) => event === "request")).toHaveLength(1000);
  await expectToEnd(gate);
});
