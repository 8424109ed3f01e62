import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { createVitest } from "vitest/node";
import durations from "./durations.json" with { type: "json" };

const workspace = resolve(import.meta.dirname, "../..");

test("measures files that exist, with the longest first", () => {
  const seconds = Object.values(durations);
  expect(Object.keys(durations).filter((path) => !existsSync(join(workspace, path)))).toEqual([]);
  expect(seconds.toSorted((a, b) => b - a)).toEqual(seconds);
});

test("starts what takes longest first, and what nobody has measured behind it", async () => {
  const [longest = "", second = ""] = Object.keys(durations);
  const unmeasured = "test/run/longest-first.test.ts";
  const vitest = await createVitest("test", { root: workspace, watch: false });
  try {
    const files = await vitest.getRelevantTestSpecifications([unmeasured, second, longest]);
    const { sequencer: Sequencer } = vitest.config.sequence;
    const sorted = await new Sequencer(vitest).sort(files);
    expect(sorted.map(({ moduleId }) => moduleId.slice(workspace.length + 1))).toEqual([longest, second, unmeasured]);
  } finally {
    await vitest.close();
  }
});
