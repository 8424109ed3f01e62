import { createReadStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { startGateWithOutput } from "../gateway/gate-with-output.ts";
import { passwordFile } from "../support/password-file.ts";
import { run } from "../support/run.ts";
import { type ScriptedUpstream, startUpstream } from "../support/upstream.ts";
import { alice } from "./scene.ts";

/** What several processes write to one standard output. */

let upstream: ScriptedUpstream;
let htpasswd: string;
let directory: string;

beforeAll(async () => {
  upstream = await startUpstream((_, response) => void response.end("{}"));
  htpasswd = await passwordFile({ alice: "alice-password" });
  directory = await mkdtemp(join(tmpdir(), "workers-output-"));
});

afterAll(async () => {
  await upstream?.close();
  await rm(directory, { recursive: true, force: true });
});

/** A backend of somebody else's that writes lines of its own, each far longer than what a pipe takes at one stroke. */
const talkative = `
  export const plugin = {
    type: "talkative",
    apiVersion: 1,
    async open() {
      return {
        id: "talkative",
        async authenticate() {
          console.log(JSON.stringify({ own: "x".repeat(6000) }));
          return { status: "abstained" };
        },
      };
    },
  };
`;

test("lines of several workers never stand within each other in a pipe, however long and many they are", async () => {
  const path = join(directory, "pipe");
  await run("mkfifo", [path]);
  const stream = createReadStream(path, "utf8");
  onTestFinished(() => void stream.destroy());
  let text = "";
  stream.on("data", (chunk) => {
    text += chunk;
  });
  const { open } = await import("node:fs/promises");
  const writer = await open(path, "w");
  const gate = await startGateWithOutput({
    configuration: {
      upstream: { url: upstream.url },
      auth: {
        backends: [{ type: "talkative" }, { type: "htpasswd", file: "htpasswd" }],
        cache: false,
      },
      workers: 2,
    },
    files: {
      htpasswd,
      "node_modules/talkative/package.json": JSON.stringify({ type: "module", exports: "./index.js" }),
      "node_modules/talkative/index.js": talkative,
    },
    output: writer.fd,
  });
  onTestFinished(() => gate.close());
  await writer.close();
  // Only when all workers listen.
  await expect.poll(() => text).toContain('"event":"listening"');
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  onTestFinished(() => agent.destroy());
  const target = `${gate.url}/v2/${"long-name-of-a-repository/".repeat(8)}app/tags/list`;
  const get = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const sent = request(target, { agent, headers: alice }, (response) => {
        response.resume();
        response.once("end", () => resolve());
      });
      sent.once("error", reject);
      sent.end();
    });
  const count = 400;
  await Promise.all(Array.from({ length: count }, get));
  gate.process.kill("SIGTERM");
  expect(await gate.ended).toBe(0);
  await expect.poll(() => text.match(/"event":"request"/g)?.length).toBe(count);
  const lines: Record<string, unknown>[] = text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(new Set(lines.filter(({ event }) => event === "request").map(({ worker }) => worker))).toEqual(
    new Set([1, 2]),
  );
  expect(lines.filter(({ own }) => own !== undefined).length).toBe(count);
});
