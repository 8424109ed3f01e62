import type { Guard } from "../guard.ts";

const folder = "packages/core/test/forward/cache";
const tests = [`${folder}/content-cache.test.ts`];
const joined = [`${folder}/joined-reads.test.ts`];
const writes = [`${folder}/writes.test.ts`];

/** What is kept is what the registry has, for those who may read it. */
export const contentCache: readonly Guard[] = [
  {
    name: "kept-body-is-verified",
    file: "packages/core/src/forward/cache/fill.ts",
    find: "if (found.length !== body.length || !verifier.isVerified()) {",
    replacement: "if (found.length !== body.length) {",
    tests,
  },
  {
    name: "kept-body-is-whole",
    file: "packages/core/src/forward/cache/body-verifier.ts",
    find: 'hash.digest("hex") === expected',
    replacement: "hash !== undefined && expected !== undefined",
    tests,
  },
  {
    name: "content-of-one-repository",
    file: "packages/core/src/forward/cache/content-store.ts",
    find: "find: (repository, name) => repositories.get(repository)?.get(name),",
    replacement: "find: (_repository, name) => [...repositories.values()].find((each) => each.has(name))?.get(name),",
    tests,
  },
  {
    name: "content-of-one-host",
    file: "packages/core/src/forward/cache/asked.ts",
    find: '    headers.host ?? "",\n',
    replacement: "",
    tests,
  },
  {
    name: "content-of-one-accept",
    file: "packages/core/src/forward/cache/asked.ts",
    find: '    inOrder(String(headers.accept ?? "")),\n',
    replacement: "",
    tests,
  },
  {
    name: "content-that-varies",
    file: "packages/core/src/forward/cache/keepable.ts",
    find: '  if (typeof vary === "string" && !isDistinguished(vary)) return undefined;\n',
    replacement: "",
    tests,
  },
  {
    name: "content-that-is-private",
    file: "packages/core/src/forward/cache/keepable.ts",
    find: '      case "no-store":\n      case "private":\n',
    replacement: "",
    tests,
  },
  {
    name: "content-of-unusual-responses",
    file: "packages/core/src/forward/cache/keepable.ts",
    find: "statusCode !== 200 || unusual.some((name) => headers[name] !== undefined)",
    replacement: "statusCode !== 200",
    tests,
  },
  {
    name: "errors-are-not-kept",
    file: "packages/core/src/forward/cache/keepable.ts",
    find: "statusCode !== 200 || unusual",
    replacement: "unusual",
    tests: [`${folder}/keepable.test.ts`],
  },
  {
    name: "write-drops-content",
    file: "packages/core/src/forward/cache/content-cache.ts",
    find: "      drop(passing);\n",
    replacement: "",
    tests: writes,
  },
  {
    name: "read-before-a-late-write-is-not-kept",
    file: "packages/core/src/forward/cache/fill.ts",
    find: "!terms.keeps || ",
    replacement: "",
    tests: writes,
  },
  {
    name: "read-during-a-write-is-not-kept",
    file: "packages/core/src/forward/cache/content-store.ts",
    find: "    resource.dropped = true;\n",
    replacement: "",
    tests: writes,
  },
  {
    name: "age-of-content",
    file: "packages/core/src/forward/cache/content-cache.ts",
    find: "performance.now() - entry.response.confirmed >= entry.response.lifetime",
    replacement: "entry.response.lifetime === 0",
    tests,
  },
  {
    name: "age-of-a-joined-request",
    file: "packages/core/src/forward/cache/fill.ts",
    find: "      if (age >= joinTimeout) return false;\n",
    replacement: "",
    tests: joined,
  },
  {
    name: "memory-of-content",
    file: "packages/core/src/forward/cache/content-store.ts",
    find: "      while (bytes + cost > maxSize) {",
    replacement: "      while (false as boolean) {",
    tests,
  },
  {
    name: "wait-for-another-request",
    file: "packages/core/src/forward/cache/fill.ts",
    find: "timer ??= setTimeout(letGo, joinTimeout - age).unref();",
    replacement: "timer ??= setTimeout(letGo, 1e9).unref();",
    tests: joined,
  },
  {
    name: "content-in-all-workers",
    file: "apps/gateway/src/workers/worker-services.ts",
    find: "await Promise.all(others.map((other) => other.ask(dropContent, change, dropLimit).catch(() => {})));",
    replacement: "await Promise.all(others.map(async () => {}));",
    tests: ["test/content-cache/workers.test.ts"],
  },
];
