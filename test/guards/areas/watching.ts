import type { Guard } from "../guard.ts";

const readiness = ["apps/gateway/test/admin/readiness.test.ts"];
const ofGate = ["apps/gateway/test/admin/gate-readiness.test.ts"];
const listener = ["test/gateway/admin-listener.test.ts"];

/** Who watches a gate learns what is so, tells nobody more than that, and cannot harm it. */
export const watching: readonly Guard[] = [
  {
    name: "checks-run-one-at-a-time",
    file: "apps/gateway/src/admin/readiness/cached-check.ts",
    find: "if (running === undefined && (last === undefined",
    replacement: "if (running !== null && (last === undefined",
    tests: readiness,
  },
  {
    name: "checks-are-kept-for-a-second",
    file: "apps/gateway/src/admin/readiness/cached-check.ts",
    find: "performance.now() - last.at > freshFor",
    replacement: "true",
    tests: readiness,
  },
  {
    name: "readiness-names-no-address",
    file: "apps/gateway/src/admin/readiness/failure-reason.ts",
    find: `return code ?? "unavailable";`,
    replacement: `return message || "unavailable";`,
    tests: readiness,
  },
  {
    name: "not-ready-while-stopping",
    file: "apps/gateway/src/admin/readiness/gate-readiness.ts",
    find: "const reason = unready();",
    replacement: "const reason: string | undefined = undefined;",
    tests: ofGate,
  },
  {
    name: "not-ready-with-an-expired-certificate",
    file: "apps/gateway/src/admin/readiness/gate-readiness.ts",
    find: "if (left <= 0) return",
    replacement: "if (false) return",
    tests: ofGate,
  },
  {
    name: "labels-are-bounded",
    file: "apps/gateway/src/admin/metrics/metric-store.ts",
    find: "if (table.size >= maxSeries && labels.length > 0) {",
    replacement: "if (false) {",
    tests: ["apps/gateway/test/admin/snapshot.test.ts"],
  },
  {
    name: "what-workers-counted-stays",
    file: "apps/gateway/src/admin/metrics/snapshot.ts",
    find: `kind !== "gauge" && metrics[name] !== undefined`,
    replacement: "metrics[name] !== undefined",
    tests: ["apps/gateway/test/admin/snapshot.test.ts"],
  },
  {
    name: "admin-listener-responds-once",
    file: "apps/gateway/src/admin/admin-handler.ts",
    find: "if (response.headersSent) return;",
    replacement: "",
    tests: listener,
  },
  {
    name: "admin-listener-reads-alone",
    file: "apps/gateway/src/admin/admin-handler.ts",
    find: `if (request.method !== "GET" && request.method !== "HEAD") {`,
    replacement: "if (false) {",
    tests: listener,
  },
  {
    name: "admin-listener-of-a-rejected-reload",
    file: "apps/gateway/src/process/gateway-services.ts",
    find: "opened.push(listener.abort);",
    replacement: "",
    tests: listener,
  },
  {
    name: "requests-are-accepted-for-the-drain-delay",
    file: "apps/gateway/src/process/gateway.ts",
    find: "if (timeLimit === undefined && !failed) await delay",
    replacement: "if (false) await delay",
    tests: ["test/gateway/drain-delay.test.ts"],
  },
];
