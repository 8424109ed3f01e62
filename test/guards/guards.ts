import type { Guard } from "./guard.ts";

/**
 * Every guard whose absence somebody could use. To add one: copy its text, say what stands in its place without it, and
 * name the test that fails then; `pnpm guards NAME` shows whether it does.
 */
export const guards: readonly Guard[] = [
  {
    name: "duplicate-headers",
    file: "packages/core/src/shape.ts",
    find: "if (seen.has(name)) refuse(400,",
    replacement: "if (false) refuse(400,",
    tests: ["packages/core/test/shape.test.ts", "test/framing/refused.test.ts"],
  },
  {
    name: "length-beside-chunks",
    file: "packages/core/src/shape.ts",
    find: "if (!known || length !== undefined) {",
    replacement: "if (!known) {",
    tests: ["packages/core/test/shape.test.ts"],
  },
  {
    name: "body-of-get",
    file: "packages/core/src/shape.ts",
    find: "if (hasBody(request) && !takesBody(request.method)) refuse(",
    replacement: "if (false) refuse(",
    tests: ["packages/core/test/shape.test.ts", "test/framing/refused.test.ts"],
  },
  {
    name: "form-body",
    file: "packages/core/src/shape.ts",
    find: "if (type !== undefined && formTypes.test(type) && hasBody(request))",
    replacement: "if (false)",
    tests: ["packages/core/test/shape.test.ts", "test/framing/refused.test.ts"],
  },
  {
    name: "header-look-alike",
    file: "packages/core/src/shape.ts",
    find: "if (fold(header) === folded) refuse(",
    replacement: "if (false) refuse(",
    tests: ["packages/core/test/shape.test.ts"],
  },
  {
    name: "encoded-slash",
    file: "packages/core/src/route/target.ts",
    find: "if (neverEncoded.test(raw)) refuse(",
    replacement: "if (false) refuse(",
    tests: ["packages/core/test/route/refused.test.ts"],
  },
  {
    name: "dot-segments",
    file: "packages/core/src/route/target.ts",
    find: 'if (path.includes("//") || /(?:^|\\/)\\.{1,2}(?:\\/|$)/.test(path)) {',
    replacement: "if (false) {",
    tests: ["packages/core/test/route/refused.test.ts"],
  },
  {
    name: "repeated-parameter",
    file: "packages/core/src/route/parse-route.ts",
    find: "if (values !== undefined && values.length > 1) refuse(",
    replacement: "if (false) refuse(",
    tests: ["packages/core/test/route/refused.test.ts"],
  },
  {
    name: "mount-of-another-user",
    file: "packages/core/src/authorize/authorize.ts",
    find: "return { ...route, mount: undefined };",
    replacement: "return route;",
    tests: ["packages/core/test/authorize/authorize.test.ts", "test/isolation/isolation.test.ts"],
  },
  {
    name: "anchored-globs",
    file: "packages/core/src/authorize/glob.ts",
    find: "return at === pattern.length;",
    replacement: "return true;",
    tests: ["packages/core/test/authorize/glob.test.ts"],
  },
  {
    name: "credentials-stay-here",
    file: "packages/core/src/forward/request-headers.ts",
    find: 'const passed: readonly string[] = [\n  "accept",',
    replacement: 'const passed: readonly string[] = [\n  "authorization",\n  "accept",',
    tests: ["test/framing/forwarded.test.ts"],
  },
  {
    name: "forwarded-by-strangers",
    file: "packages/core/src/peer.ts",
    find: "if (!(peer === undefined ? trusted.local && isLocal(socket) : trusted.has(peer))) {",
    replacement: "if (false) {",
    tests: ["packages/core/test/peer.test.ts"],
  },
  {
    name: "response-headers-by-list",
    file: "packages/core/src/forward/response-headers.ts",
    find: "for (const name of passed) {",
    replacement: "for (const name of Object.keys(headers)) {",
    tests: ["packages/core/test/middleware/answer-headers.test.ts"],
  },
  {
    name: "odd-response-ends-connection",
    file: "packages/core/src/forward/read/answer-reader.ts",
    find: "if (readBody(rest) < rest.length) reusable = false;",
    replacement: "readBody(rest);",
    tests: ["packages/core/test/forward/read/answer-reader.test.ts"],
  },
];
