import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import { startEventReceiver } from "../../../../test/support/event-receiver.ts";
import { recordingLog } from "../../../../test/support/recording-log.ts";
import type { AuditEvent } from "../../src/audit/audit-event.ts";
import { loadConfiguration } from "../../src/config/load.ts";
import { openNotifier } from "../../src/events/notifier.ts";

const event: AuditEvent = {
  id: "2cb3e1f0-0000-4000-8000-000000000000",
  time: "2026-11-28T00:00:00.000Z",
  event: "push",
  operation: "put-manifest",
  method: "PUT",
  repository: "team/app",
  digest: "sha256:1",
  outcome: "completed",
  status: 201,
};

test("a reload loses no notification that another process keeps from the queue at that moment", async () => {
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-notifier-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const receiver = await startEventReceiver();
  onTestFinished(() => receiver.close());
  await writeFile(join(directory, "secret"), "a secret of the receiver\n");
  const file = join(directory, "registry-gate.yaml");
  const configuration = {
    listen: { address: "127.0.0.1:0" },
    upstream: { url: "http://127.0.0.1:5000" },
    auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
    events: [{ url: receiver.url, secretFile: "secret" }],
  };
  await writeFile(file, JSON.stringify(configuration));
  const loaded = await loadConfiguration(file, {});
  const { log, lines } = recordingLog();
  const notifier = openNotifier(log);
  onTestFinished(() => notifier.close());
  await (await notifier.prepare(loaded)).commit();
  const next = await notifier.prepare(loaded);
  const other = new DatabaseSync(join(directory, "events.db"));
  onTestFinished(() => other.close());
  other.exec("BEGIN IMMEDIATE");
  const accepted = notifier.accept({ ...event, tags: ["a", "b"] });
  const committed = next.commit();
  // Until the former queue is closed.
  await new Promise((resolve) => void setTimeout(resolve, 200));
  other.exec("COMMIT");
  await Promise.all([accepted, committed]);
  await expect.poll(() => receiver.received.length).toBe(2);
  const tags = receiver.received.flatMap(({ events }) => events.map(({ target }) => target.tag));
  expect(tags).toEqual(["a", "b"]);
  expect(lines).toEqual([]);
});
