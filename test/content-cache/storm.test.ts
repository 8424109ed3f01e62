import { expect, test } from "vitest";
import { pushImage } from "../support/registry-content.ts";
import { alice, registries, setScene } from "./scene.ts";
import { pullStorm } from "./storm.ts";

test.each(registries)(
  "a thousand clients that pull one image cost %s fewer than twenty requests",
  async (registry) => {
    const limits = { limits: { inFlightPerClient: 5000, connectionsPerAddress: 5000 } };
    const { gate, registryUrl, asked } = await setScene(registry, { ttl: "30s" }, limits);
    const content = "a layer ".repeat(10_000);
    const { repository, tag } = await pushImage({ url: registryUrl, headers: {} }, "team/app", "latest", content);
    const image = { repository, tag, content };
    await pullStorm({ url: gate.url, headers: alice, ...image, clients: 1000, atOnce: 1000 });
    expect(asked().length).toBeGreaterThan(0);
    expect(asked().length).toBeLessThan(20);
  },
  120_000,
);
