import { expect, onTestFinished, test } from "vitest";
import { startGate } from "../support/gate.ts";
import { passwordFile } from "../support/password-file.ts";
import { startUpstream } from "../support/upstream.ts";
import { ask, workersOf } from "./scene.ts";

test("a worker that does nothing any more is killed and replaced; the others take its connections meanwhile", async () => {
  const upstream = await startUpstream((_, response) => void response.end("{}"));
  onTestFinished(() => upstream.close());
  const gate = await startGate({
    configuration: {
      listen: { address: "127.0.0.1:0" },
      upstream: { url: upstream.url },
      auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
      workers: 2,
    },
    files: { htpasswd: await passwordFile({ alice: "alice-password" }) },
  });
  onTestFinished(() => gate.close());
  const [victim = 0] = await workersOf(gate);
  process.kill(victim, "SIGSTOP");
  const statuses = await Promise.all(Array.from({ length: 20 }, () => ask(`${gate.url}/v2/`)));
  expect(new Set(statuses.map(({ status }) => status))).toEqual(new Set([200]));
  // It is given half a minute, as long as a test waits for a line.
  await expect.poll(() => gate.lines().some(({ event }) => event === "worker hung"), { timeout: 90_000 }).toBe(true);
  expect(await gate.logged(({ event, pid }) => event === "worker ended" && pid === victim)).toMatchObject({
    hung: true,
    signal: "SIGKILL",
  });
  await expect.poll(() => gate.lines().filter(({ event }) => event === "worker started").length).toBe(3);
}, 180_000);
