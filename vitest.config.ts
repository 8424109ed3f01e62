import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { LongestFirst } from "./test/run/longest-first.ts";

export default defineConfig({
  resolve: { conditions: ["development", "node", "import", "default"] },
  // Not "import": what the workers are given counts for require() too, which then meets modules that it cannot use.
  ssr: { resolve: { conditions: ["development", "node"] } },
  test: {
    include: ["packages/*/test/**/*.test.ts", "apps/*/test/**/*.test.ts", "test/**/*.test.ts"],
    globalSetup: [
      "test/support/temporary-directory.ts",
      "test/support/compile-cache.ts",
      "test/programs/provide-needs.ts",
    ],
    setupFiles: "test/programs/allow-needs.ts",
    pool: "forks",
    // Tests wait for servers, time limits and each other's processes for a third of their time, in which another one runs.
    maxWorkers: availableParallelism() + 1,
    sequence: { sequencer: LongestFirst },
    // Real servers and clients start inside the tests; two cores under load make each of them slow now and then.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 30_000 } },
  },
});
