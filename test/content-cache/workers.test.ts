import { expect, test } from "vitest";
import { manifestOf, manifestType, pushImage } from "../support/registry-content.ts";
import { servingWorkers } from "../workers/scene.ts";
import { alice, send, setScene } from "./scene.ts";

const tag = "/v2/team/app/manifests/latest";

test("what is pushed or deleted through one worker is seen at once through all", async () => {
  const { gate, registryUrl } = await setScene("docker-registry 2.8", { ttl: "1h", maxAge: "1h" }, { workers: 2 });
  const caller = { url: gate.url, headers: { ...alice, connection: "close" } };
  const headers = { accept: manifestType, connection: "close" };
  // Each on a connection of its own, so that both workers read.
  const read = (path: string) => Promise.all(Array.from({ length: 12 }, () => send(gate.url, path, { headers })));
  for (let version = 1; version <= 5; version++) {
    const content = `version ${version}`;
    const { manifest } = await pushImage(caller, "team/app", "latest", content);
    for (const { body } of await read(tag)) expect(body.toString()).toBe(manifestOf(content));
    for (const { status } of await read(`/v2/team/app/manifests/${manifest}`)) expect(status).toBe(200);
    if (version < 5) continue;
    expect((await send(gate.url, `/v2/team/app/manifests/${manifest}`, { method: "DELETE", headers })).status).toBe(
      202,
    );
    for (const path of [tag, `/v2/team/app/manifests/${manifest}`]) {
      for (const { status } of await read(path)) expect(status).toBe(404);
    }
  }
  await expect.poll(() => servingWorkers(gate.lines()).size).toBe(2);
  // Both have served from memory, and neither has learned of what was pushed past the gate.
  await pushImage({ url: gate.url, headers: caller.headers }, "team/app", "latest", "through the gate");
  await read(tag);
  await read(tag);
  await pushImage({ url: registryUrl, headers: {} }, "team/app", "latest", "past the gate");
  for (const { body } of await read(tag)) expect(body.toString()).toBe(manifestOf("through the gate"));
}, 120_000);
