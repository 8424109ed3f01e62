import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startEventReceiver } from "../support/event-receiver.ts";
import { runGate } from "./run-gate.ts";

async function check(
  events: unknown,
  parameters: readonly string[] = [],
): Promise<{ code: number | null; stderr: string }> {
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-check-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const configuration = {
    listen: { address: "127.0.0.1:0" },
    upstream: { url: "http://127.0.0.1:9" },
    auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
    events,
  };
  await writeFile(join(directory, "gate.yaml"), JSON.stringify(configuration));
  await writeFile(join(directory, "htpasswd"), `alice:$2y$05$${"a".repeat(53)}\n`);
  await writeFile(join(directory, "secret"), "a secret of the receiver\n");
  await writeFile(join(directory, "short"), "hunter2\n");
  const { code, stderr } = await runGate(["check", "--config", "gate.yaml", ...parameters], { directory });
  // Nothing is made.
  expect(await readdir(directory)).toHaveLength(4);
  return { code, stderr };
}

const good = { url: "https://ci.example.com/hook", secretFile: "secret" };

test.each<[string, unknown, string]>([
  ["a URL that is none", [{ ...good, url: "ci.example.com" }], "events[0].url: must be a URL such as"],
  ["another scheme", [{ ...good, url: "ftp://ci.example.com/" }], "events[0].url: must be a URL such as"],
  [
    "credentials in a URL",
    [good, { ...good, url: "https://a:b@c.example.com/" }],
    "events[1].url: must not hold credentials",
  ],
  ["a fragment", [{ ...good, url: "https://c.example.com/#x" }], "events[0].url: must not have a fragment"],
  ["the same URL twice", [good, { ...good, on: ["pull"] }], "events[1].url: is the one of events[0] again"],
  ["a secret that is missing", [{ ...good, secretFile: "missing" }], "events[0].secretFile: "],
  ["no secret", [{ url: good.url }], "events[0].secretFile: "],
  ["an unknown action", [{ ...good, on: ["mount"] }], "events[0].on[0]: must be push, delete or pull"],
  ["no action", [{ ...good, on: [] }], "events[0].on: must not be empty"],
  ["certificates that are none", [{ ...good, ca: "secret" }], "events[0].ca: holds no certificate"],
  [
    "a queue that cannot be made",
    [{ ...good, queueFile: "missing/queue.db" }],
    "events[0].queueFile: no such directory",
  ],
  ["a queue that is another file", [{ ...good, queueFile: "secret" }], "events[0].queueFile: is not a SQLite database"],
])("check refuses %s", async (_, events, message) => {
  const { code, stderr } = await check(events);
  expect(stderr).toContain(`gate.yaml: ${message}`);
  expect(code).toBe(1);
});

test("check warns of notifications that others can read or forge, and posts nothing", async () => {
  const receiver = await startEventReceiver();
  onTestFinished(() => receiver.close());
  const events = [good, { url: "http://ci.example.com/hook", secretFile: "short" }, { ...good, url: receiver.url }];
  const { code, stderr } = await check(events);
  expect(stderr.split("\n").filter((line) => line.includes("events["))).toEqual([
    expect.stringContaining("warning: events[1].secretFile: holds fewer than 16 characters"),
    expect.stringContaining(
      "warning: events[1].url: is plain HTTP: anyone on the network path can read who pushes what",
    ),
  ]);
  expect(code).toBe(0);
  await check(events, ["--connect"]);
  expect(receiver.received).toEqual([]);
});
