import type { Guard } from "../guard.ts";

const backend = ["packages/access-tokens/test/backend.test.ts"];
const router = ["packages/access-tokens/test/router.test.ts"];

/** Access tokens: never wider than their owner is now, and gone when they are revoked. */
export const accessTokens: readonly Guard[] = [
  {
    name: "access-token-networks",
    file: "packages/access-tokens/src/backend.ts",
    find: "if (!isWithin(record, request)) return rejected(",
    replacement: "if (false) return rejected(",
    tests: backend,
  },
  {
    name: "access-token-of-a-network-is-not-remembered",
    file: "packages/access-tokens/src/backend.ts",
    find: "rememberFor: record.networks === undefined ? Math.max(0, found.holdsUntil - performance.now()) : 0,",
    replacement: "rememberFor: Math.max(0, found.holdsUntil - performance.now()),",
    tests: backend,
  },
  {
    name: "access-token-revoked-elsewhere",
    file: "packages/access-tokens/src/record-cache.ts",
    find: "performance.now() - known.since < holdFor",
    replacement: "true",
    tests: backend,
  },
  {
    name: "access-token-revoked-here",
    file: "packages/access-tokens/src/backend.ts",
    find: "records.forget(digest);",
    replacement: "",
    tests: backend,
  },
  {
    name: "access-token-owner-is-looked-up-again",
    file: "packages/auth-kit/src/backend/user-lookup.ts",
    find: "performance.now() - known.since < recheck",
    replacement: "true",
    tests: backend,
  },
  {
    name: "access-token-owner-is-nobody-else",
    file: "packages/auth-kit/src/backend/user-lookup.ts",
    find: "if (identity.subject !== user.subject) {",
    replacement: "if (false) {",
    tests: backend,
  },
  {
    name: "access-token-name-is-taken-once",
    file: "packages/access-tokens/src/token-store.ts",
    find: "if (await state.replace(nameKey(record), reservation(digest), digest)) return true;",
    replacement: "return true;",
    tests: ["packages/access-tokens/test/manage.test.ts"],
  },
  {
    name: "access-token-router-cross-site",
    file: "packages/access-tokens/src/router.ts",
    find: "if (fault !== undefined) return problem(403,",
    replacement: "if (false) return problem(403,",
    tests: router,
  },
  {
    name: "access-token-router-takes-json-alone",
    file: "packages/access-tokens/src/router.ts",
    find: "if (!hasJson(request)) return problem(415,",
    replacement: "if (false) return problem(415,",
    tests: router,
  },
  {
    name: "access-token-router-owner",
    file: "packages/access-tokens/src/router.ts",
    find: "await manage.revoke(id, owner)",
    replacement: "await manage.revoke(id)",
    tests: router,
  },
  {
    name: "access-token-shown-to-no-other-backend",
    file: "packages/core/src/authenticate/chain.ts",
    find: "if (owners.length === 0) return backends;",
    replacement: "return backends;",
    tests: ["packages/core/test/authenticate/chain.test.ts"],
  },
  {
    name: "login-remembered-for-less",
    file: "packages/core/src/authenticate/verified-credentials.ts",
    find: "return rememberFor > 0 ? Math.min(rememberFor, life) : 0;",
    replacement: "return life;",
    tests: ["packages/core/test/authenticate/verified-credentials.test.ts"],
  },
  {
    name: "names-of-robots-are-reserved",
    file: "packages/auth-kit/src/names/robot-name.ts",
    find: "return username.slice(0, robotPrefix.length).toLowerCase() === robotPrefix;",
    replacement: "return false;",
    tests: ["packages/auth-kit/test/name.test.ts"],
  },
];
