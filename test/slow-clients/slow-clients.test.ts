import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Scene, startScene } from "./scene.ts";
import { slowModes } from "./slowhttptest.ts";

/** Whether anything becomes slower is judged by `pnpm bench slow-clients`; here everybody must be served at all. */

const connections = 2000;
const seconds = 12;
/** What so many slow clients may add to the gate's memory, in MiB: a tenth of one each. */
const mostGrowth = 256;

let scene: Scene;

beforeAll(async () => {
  scene = await startScene();
});

afterAll(() => scene.close());

describe(`while ${connections} clients are slow, ordinary clients pull and log in, and nobody is refused`, () => {
  test.each(slowModes)("%s", async (mode) => {
    const { manifests, blobs, logins, descriptors, memoryGrowth, report } = await scene.under(
      mode,
      connections,
      seconds,
    );
    // Were there no attack, nothing would have been shown.
    expect(report).toMatch(/Exit status: /);
    if (mode === "slow headers" || mode === "slow read") expect(descriptors).toBeGreaterThan(connections / 4);
    for (const [what, { latencies, failures }] of Object.entries({ manifests, blobs, logins })) {
      expect(failures, what).toEqual([]);
      expect(latencies.length, what).toBeGreaterThan(0);
    }
    expect(memoryGrowth).toBeLessThan(mostGrowth);
  });
});
