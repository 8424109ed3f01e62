import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EventDelivery, eventDelivery, startGateway } from "registry-gate";
import { expect, onTestFinished, test } from "vitest";
import { basic } from "../support/basic.ts";
import { startEventReceiver } from "../support/event-receiver.ts";
import { passwordFile } from "../support/password-file.ts";
import { startUpstream } from "../support/upstream.ts";

test("what becomes of notifications is published, with how many wait", async () => {
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-events-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const receiver = await startEventReceiver();
  onTestFinished(() => receiver.close());
  const upstream = await startUpstream((request, response) => {
    request.resume();
    request.once("end", () => response.writeHead(201).end());
  });
  onTestFinished(() => upstream.close());
  await writeFile(join(directory, "htpasswd"), await passwordFile({ alice: "alice-password" }));
  await writeFile(join(directory, "secret"), "a secret of the receiver\n");
  await writeFile(
    join(directory, "gate.yaml"),
    JSON.stringify({
      listen: { address: "127.0.0.1:0" },
      upstream: { url: upstream.url },
      auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
      log: { level: "silent" },
      events: [{ url: receiver.url, secretFile: "secret" }],
    }),
  );
  const published: EventDelivery[] = [];
  onTestFinished(eventDelivery.subscribe((message) => published.push(message)));
  const gateway = await startGateway(join(directory, "gate.yaml"));
  onTestFinished(() => gateway.close());
  receiver.respond((response) => {
    response.writeHead(receiver.received.length === 1 ? 503 : 204).end();
  });
  await fetch(`http://${gateway.address}/v2/team/app/manifests/1`, {
    method: "PUT",
    headers: { ...basic("alice", "alice-password"), "Content-Type": "application/json" },
    body: "{}",
  });
  await expect.poll(() => published.length).toBeGreaterThanOrEqual(3);
  const endpoint = new URL(receiver.url).host;
  expect(published).toMatchObject([
    { endpoint, outcome: "queued", count: 1, waiting: 1 },
    { endpoint, outcome: "failed", waiting: 1, status: 503, milliseconds: expect.any(Number) },
    { endpoint, outcome: "delivered", waiting: 0, status: 204, milliseconds: expect.any(Number) },
  ]);
});
