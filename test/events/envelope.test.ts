import { createHmac } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { auditOf } from "../audit/audited-gate.ts";
import { basic } from "../support/basic.ts";
import { startDockerRegistryIn } from "../support/docker-registry.ts";
import { startEventReceiver } from "../support/event-receiver.ts";
import { startGate } from "../support/gate.ts";
import { passwordFile } from "../support/password-file.ts";
import { type Caller, manifestType, pushImage } from "../support/registry-content.ts";

test("a notification is the registry's own, field by field, but for what only the gate knows", async () => {
  const [ours, theirs] = [await startEventReceiver(), await startEventReceiver()];
  onTestFinished(() => ours.close());
  onTestFinished(() => theirs.close());
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-envelope-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const registry = await startDockerRegistryIn(directory, {}, undefined, { notifyUrl: theirs.url });
  onTestFinished(() => registry.close());
  const gate = await startGate({
    configuration: {
      listen: { address: "127.0.0.1:0" },
      upstream: { url: `http://${registry.address}` },
      auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
      access: [{ subjects: ["authenticated"], repositories: ["**"], actions: ["*"] }],
      audit: { output: { file: "audit.jsonl" }, events: ["push", "pull", "delete"] },
      events: [{ url: ours.url, secretFile: "secret", on: ["push", "pull", "delete"] }],
    },
    files: { htpasswd: await passwordFile({ alice: "alice-password" }), secret: "a secret of the receiver\n" },
  });
  onTestFinished(() => gate.close());

  const headers = { ...basic("alice", "alice-password"), "User-Agent": "docker/28.0" };
  const caller: Caller = { url: gate.url, headers };
  const { manifest } = await pushImage(caller, "team/app", "1.0", "a layer");
  const accept = { ...headers, Accept: manifestType };
  await (await fetch(`${gate.url}/v2/team/app/manifests/1.0`, { headers: accept })).text();
  await fetch(`${gate.url}/v2/team/app/manifests/${manifest}`, { method: "DELETE", headers });

  const isManifest = ({ target }: { readonly target: Readonly<Record<string, unknown>> }): boolean =>
    target.digest === manifest;
  const eventsOf = ({ received }: typeof ours) => received.flatMap(({ events }) => events.filter(isManifest));
  await expect.poll(() => eventsOf(ours).length === 3 && eventsOf(theirs).length === 3).toBe(true);
  const sent = eventsOf(ours);
  expect(sent.map(({ action }) => action)).toEqual(["push", "pull", "delete"]);
  for (const [index, { id, timestamp, request, actor, source, ...rest }] of sent.entries()) {
    const {
      id: _id,
      timestamp: _time,
      request: registrys,
      actor: nobody,
      source: instance,
      ...same
    } = eventsOf(theirs)[index] ?? {};
    expect(rest).toEqual(same);
    expect({ ...request, id: "" }).toEqual({ ...registrys, id: "" });
    expect(actor).toEqual({ name: "alice" });
    expect(nobody).toEqual({});
    expect(Object.keys(source)).toEqual(Object.keys(instance ?? {}));
    expect(source).toMatchObject({ addr: instance?.addr });
    expect(id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(Date.now() - Date.parse(timestamp)).toBeLessThan(60_000);
    // What somebody looks for in the log.
    await gate.logged(({ requestId }) => requestId === request.id);
  }
  const audited = async (): Promise<unknown> => (await auditOf(gate)).map(({ id }) => id);
  await expect.poll(audited).toEqual(sent.map(({ id }) => id));
  const [first] = ours.received;
  expect(first?.headers).toMatchObject({
    "content-type": theirs.received[0]?.headers["content-type"],
    "x-registry-gate-signature": `sha256=${createHmac("sha256", "a secret of the receiver")
      .update(first?.body ?? "")
      .digest("hex")}`,
  });
  // The registry tells of each blob, too.
  expect(theirs.received.length).toBeGreaterThan(ours.received.length);
});
