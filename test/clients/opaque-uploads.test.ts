import { startEmbeddedRegistry } from "@registry-gate/embedded-registry";
import { afterAll, beforeAll, expect, test } from "vitest";
import { clientNames, type Scene, setScene } from "./scene.ts";
import { steps } from "./steps.ts";

/** Before a registry whose uploads have locations of its own, which the gate seals. */

let scene: Scene;

beforeAll(async () => {
  scene = await setScene(() => startEmbeddedRegistry({ uploads: "opaque" }));
  await scene.challengeBy("bearer");
});

afterAll(() => scene?.close());

const writing = steps.filter(({ anonymous, verdict }) => !anonymous && verdict === "allowed");

test.each(clientNames)(
  "%s pushes to a registry with upload locations of its own, and pulls from it",
  async (name) => {
    const client = scene.client(name);
    const alice = await client.newUser();
    const reader = await client.newUser();
    try {
      expect(writing.map(({ kind }) => kind).sort()).toEqual(["login", "pull", "push"]);
      for (const step of writing) {
        const { ok, words } = await step.run({ alice, reader }, client, "bearer");
        expect(ok, `${step.title}: ${words}`).toBe(true);
      }
    } finally {
      await alice.close();
      await reader.close();
    }
  },
  120_000,
);
