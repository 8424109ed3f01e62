import type { Guard } from "../guard.ts";

/** Several processes are one gateway. */
export const workers: readonly Guard[] = [
  {
    name: "worker-begins-with-what-is-in-force",
    file: "apps/gateway/src/gate/gate-loader.ts",
    find: "contents === undefined\n        ? await inspectConfiguration",
    replacement: "process.pid > 0\n        ? await inspectConfiguration",
    tests: ["test/workers/workers.test.ts"],
  },
  {
    name: "failed-logins-of-all-workers",
    file: "apps/gateway/src/gate/gate-store.ts",
    find: "counting: processState, tokens: undefined",
    replacement: "counting: undefined, tokens: undefined",
    tests: ["test/workers/workers.test.ts"],
  },
  {
    name: "lines-of-workers-are-whole",
    file: "apps/gateway/src/workers/whole-lines.ts",
    find: 'const end = text.lastIndexOf("\\n") + 1;',
    replacement: "const end = text.length;",
    tests: ["apps/gateway/test/workers/whole-lines.test.ts"],
  },
  {
    name: "workers-outlive-their-primary",
    file: "apps/gateway/src/workers/worker.ts",
    find: "cluster.worker.exitedAfterDisconnect = true;",
    replacement: "cluster.worker.exitedAfterDisconnect = false;",
    tests: ["test/workers/workers.test.ts"],
  },
  {
    name: "revoked-in-another-process",
    file: "packages/access-tokens/src/record-cache.ts",
    find: "performance.now() - known.since < holdFor",
    replacement: "performance.now() > 0",
    tests: ["packages/access-tokens/test/backend.test.ts"],
  },
];
