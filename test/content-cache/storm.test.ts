import { Agent } from "node:http";
import { expect, test } from "vitest";
import { configOf, digestOf, manifestOf, manifestType, pushImage } from "../support/registry-content.ts";
import { registries, send, setScene } from "./scene.ts";

const clients = 1000;

test.each(registries)(
  "a thousand clients that pull one image cost %s fewer than twenty requests",
  async (registry) => {
    const limits = { limits: { inFlightPerClient: 5000, connectionsPerAddress: 5000 } };
    const { gate, registryUrl, asked } = await setScene(registry, { ttl: "30s" }, limits);
    const layer = "a layer ".repeat(10_000);
    const image = await pushImage({ url: registryUrl, headers: {} }, "team/app", "latest", layer);
    const manifest = manifestOf(layer);

    /** As containerd does: the tag by HEAD, the manifest by its digest, and then what it refers to. */
    async function pull(): Promise<void> {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      try {
        const headers = { accept: manifestType };
        const tag = await send(gate.url, "/v2/team/app/manifests/latest", { method: "HEAD", headers, agent });
        expect([tag.status, tag.headers["docker-content-digest"]]).toEqual([200, image.manifest]);
        const got = await send(gate.url, `/v2/team/app/manifests/${image.manifest}`, { headers, agent });
        expect(got.body.toString()).toBe(manifest);
        for (const content of [configOf(layer), layer]) {
          const blob = await send(gate.url, `/v2/team/app/blobs/${digestOf(content)}`, { agent });
          expect(blob.body.length).toBe(content.length);
          expect(digestOf(blob.body.toString())).toBe(digestOf(content));
        }
      } finally {
        agent.destroy();
      }
    }
    await Promise.all(Array.from({ length: clients }, pull));
    expect(asked().length).toBeLessThan(20);
  },
  120_000,
);
