import type { Guard } from "../guard.ts";

/** What the audit promises. */
export const audit: readonly Guard[] = [
  {
    name: "push-waits-for-the-audit",
    file: "packages/core/src/forward/hold-response.ts",
    find: "      held = [{ make: () => sink.head(head) }];\n",
    replacement: "      sink.head(head);\n",
    tests: ["packages/core/test/middleware/writes.test.ts"],
  },
  {
    name: "unrecorded-write-is-refused",
    file: "packages/core/src/registry-proxy.ts",
    find: "const unrecorded = observer?.refusal();",
    replacement: "const unrecorded: string | undefined = undefined;",
    tests: ["packages/core/test/middleware/writes.test.ts"],
  },
  {
    name: "audit-has-each-write-once",
    file: "apps/gateway/src/audit/observe-requests.ts",
    find: "if (!record.announced) write(record)",
    replacement: "write(record)",
    tests: ["test/audit/audit.test.ts"],
  },
  {
    name: "audit-follows-no-link",
    file: "apps/gateway/src/audit/audit-file.ts",
    find: " | constants.O_NOFOLLOW",
    replacement: "",
    tests: ["test/audit/audit.test.ts"],
  },
  {
    name: "audit-ends-a-torn-line",
    file: "apps/gateway/src/audit/audit-file.ts",
    find: "      if (torn) {",
    replacement: "      if (torn && size < 0) {",
    tests: ["apps/gateway/test/audit-file.test.ts", "test/audit/audit.test.ts"],
  },
  {
    name: "audit-sees-what-others-write",
    file: "apps/gateway/src/audit/audit-file.ts",
    find: "if (status.size !== size) await measure",
    replacement: "if (status.size < 0) await measure",
    tests: ["apps/gateway/test/audit-file.test.ts"],
  },
  {
    name: "audit-is-whole-again-after-a-write-alone",
    file: "apps/gateway/src/audit/audit-writer.ts",
    find: "failure === undefined ? work : [append, sync]",
    replacement: "work",
    tests: ["apps/gateway/test/audit-writer.test.ts"],
  },
  {
    name: "reload-event-hides-secrets",
    file: "apps/gateway/src/audit/configuration-changes.ts",
    find: 'return typeof value !== "string" && !closed',
    replacement: "return !closed",
    tests: ["test/audit/audit.test.ts"],
  },
  {
    name: "reload-event-says-nothing-of-backends",
    file: "apps/gateway/src/audit/configuration-changes.ts",
    find: "!closed.some((pattern) => pattern.test(path))",
    replacement: "closed.length > 0",
    tests: ["apps/gateway/test/configuration-changes.test.ts"],
  },
];
