import type { Guard } from "../guard.ts";

const verify = ["packages/token/test/verify.test.ts"];
const refresh = ["packages/token/test/refresh-tokens.test.ts"];
const endpoint = ["packages/token/test/endpoint.test.ts"];
const results = ["packages/core/test/middleware/token-results.test.ts"];

/** A token says what the gate has signed, is good for what it was issued for, and ends with its user. */
export const tokens: readonly Guard[] = [
  {
    name: "gate-token-algorithm",
    file: "packages/token/src/verify.ts",
    find: 'if (alg !== algorithm) return invalid("the token\'s algorithm is not the one of the keys");',
    replacement: "",
    tests: verify,
  },
  {
    name: "gate-token-header",
    file: "packages/token/src/token-header.ts",
    find: "const headerSchema: z.ZodType<TokenHeader> = z.strictObject({",
    replacement: "const headerSchema: z.ZodType<TokenHeader> = z.looseObject({",
    tests: verify,
  },
  {
    name: "gate-token-issuer",
    file: "packages/token/src/verify.ts",
    find: 'if (iss !== issuer) return invalid("the token is of another issuer");',
    replacement: "",
    tests: verify,
  },
  {
    name: "gate-token-audience",
    file: "packages/token/src/verify.ts",
    find: 'if (service !== undefined && !audience.includes(service)) return invalid("the token is for another service");',
    replacement: "",
    tests: verify,
  },
  {
    name: "gate-token-expiry",
    file: "packages/token/src/verify.ts",
    find: "if (Date.now() < end) return",
    replacement: "if (Date.now() < end * 2) return",
    tests: verify,
  },
  {
    name: "gate-token-groups-missing",
    file: "packages/token/src/issue.ts",
    find: 'groupsIncomplete: "they do not fit into a token"',
    replacement: "",
    tests: verify,
  },
  {
    name: "expired-token-for-uploads-alone",
    file: "packages/core/src/authenticate/chain.ts",
    find: "if (result.uploadsOnly === true) {",
    replacement: "if (false) {",
    tests: results,
  },
  {
    name: "anonymous-token-is-no-session",
    file: "packages/core/src/authenticate/session.ts",
    find: 'return verdict.outcome === "anonymous" && credentials === undefined',
    replacement: 'return verdict.outcome === "anonymous"',
    tests: results,
  },
  {
    name: "no-token-for-a-token",
    file: "packages/token/src/endpoint/endpoint.ts",
    find: 'if (principal.via === "bearer") return unauthorized(serviceOf(gate), "a token is no login for another one");',
    replacement: "",
    tests: endpoint,
  },
  {
    name: "list-within-grants",
    file: "packages/core/src/authorize/permissions.ts",
    find: "if (grants !== undefined && !grantsCatalog(grants)) return false;",
    replacement: "",
    tests: endpoint,
  },
  {
    name: "no-lasting-login-for-less",
    file: "packages/token/src/token-service.ts",
    find: 'return via === "basic" && grants === undefined && notAfter === undefined;',
    replacement: 'return via === "basic";',
    tests: endpoint,
  },
  {
    name: "refresh-token-revision",
    file: "packages/token/src/refresh-tokens.ts",
    find: "if (identity.revision !== record.revision) return end(`${record.backend}: the user's password has changed`);",
    replacement: "",
    tests: refresh,
  },
  {
    name: "refresh-token-hash",
    file: "packages/token/src/refresh-tokens.ts",
    find: "const digest = opaqueTokenDigest(token);",
    replacement: "const digest = token;",
    tests: refresh,
  },
  {
    name: "revoked-stays-revoked",
    file: "packages/token/src/refresh-tokens.ts",
    find: "if (!(await store.replace(key, value, written, ttl))) return;",
    replacement: "await store.delete(key); await store.add(key, written, ttl);",
    tests: refresh,
  },
];
