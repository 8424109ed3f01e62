import fc from "fast-check";
import { expect, test } from "vitest";
import { accessesOf } from "../../src/route/accesses.ts";
import { parseRoute } from "../../src/route/parse-route.ts";
import { type Route, repositoryOf } from "../../src/route/route.ts";
import { upstreamTarget } from "../../src/route/upstream-target.ts";

// The grammar of the specification, written once more.
const nameGrammar = /^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$/;

const component = fc.oneof(
  fc.constantFrom("manifests", "blobs", "uploads", "tags", "list", "referrers", "v2", "a", "team", "app"),
  fc.stringMatching(/^[a-z0-9]{1,6}([._-][a-z0-9]{1,4}){0,2}$/),
);
const repository = fc.array(component, { minLength: 1, maxLength: 5 }).map((parts) => parts.join("/"));
const tag = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,20}$/);
const digest = fc.stringMatching(/^[0-9a-f]{64}$/).map((hex) => `sha256:${hex}`);
const reference = fc.oneof(tag, digest);
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });
const text = fc.string({ unit: "binary", maxLength: 20 }).filter((value) => value.isWellFormed());
const page = fc.record({ n: maybe(fc.nat({ max: 999_999_999 })), last: maybe(text) });
const upload = fc.uuid();

const routes: fc.Arbitrary<readonly [method: string, route: Route]> = fc.oneof(
  page.map((at) => ["GET", { operation: "list-repositories", page: at }] as const),
  fc
    .tuple(repository, page)
    .map(([name, at]) => ["GET", { operation: "list-tags", repository: name, page: at }] as const),
  fc
    .tuple(repository, reference)
    .map(([name, to]) => ["GET", { operation: "get-manifest", repository: name, reference: to }] as const),
  fc
    .tuple(repository, reference, fc.array(tag, { maxLength: 3 }))
    .map(([name, to, tags]) => ["PUT", { operation: "put-manifest", repository: name, reference: to, tags }] as const),
  fc
    .tuple(repository, digest)
    .map(([name, to]) => ["DELETE", { operation: "delete-blob", repository: name, reference: to }] as const),
  fc
    .tuple(repository, maybe(digest), maybe(fc.record({ digest, from: repository })))
    .map(([name, to, mount]) => ["POST", { operation: "start-upload", repository: name, digest: to, mount }] as const),
  fc
    .tuple(repository, upload, maybe(text))
    .map(
      ([name, at, state]) => ["PATCH", { operation: "continue-upload", repository: name, upload: at, state }] as const,
    ),
  fc
    .tuple(repository, upload, maybe(text), maybe(digest))
    .map(
      ([name, at, state, to]) =>
        ["PUT", { operation: "finish-upload", repository: name, upload: at, state, digest: to }] as const,
    ),
  fc
    .tuple(repository, digest, maybe(text), page)
    .map(
      ([name, to, artifactType, at]) =>
        ["GET", { operation: "list-referrers", repository: name, reference: to, artifactType, page: at }] as const,
    ),
);

test("what is written for the upstream is read as the same route again", () => {
  fc.assert(
    fc.property(routes, ([method, route]) => {
      expect(parseRoute(method, upstreamTarget(route))).toEqual({ route });
    }),
    { numRuns: 2000 },
  );
});

test("every access is to the repository of the path, and to no other", () => {
  fc.assert(
    fc.property(routes, ([, route]) => {
      for (const access of accessesOf(route)) expect(access.name).toBe(repositoryOf(route));
    }),
  );
});

const near = fc
  .tuple(
    routes,
    fc.nat(),
    fc.nat({ max: 2 }),
    fc.oneof(fc.string({ maxLength: 3 }), fc.constantFrom("/", "%2f", "..", "%", "//", "?", "&")),
  )
  .map(([[method, route], at, length, insert]) => {
    const target = upstreamTarget(route);
    const position = at % (target.length + 1);
    return [method, target.slice(0, position) + insert + target.slice(position + length)] as const;
  });
const anything = fc.tuple(
  fc.constantFrom("GET", "PUT", "POST", "PATCH", "DELETE", "FOO"),
  fc.string({ unit: "binary" }),
);

test("nothing makes the parser throw, and what it understands keeps to the grammar of the specification", () => {
  fc.assert(
    fc.property(fc.oneof(near, anything), ([method, target]) => {
      const { route } = parseRoute(method, target);
      if (route === undefined) return;
      const name = repositoryOf(route);
      if (name !== undefined) expect(name).toMatch(nameGrammar);
      expect(upstreamTarget(route)).toMatch(/^\/v2\/[A-Za-z0-9._\-/:+=@~]*(\?[A-Za-z0-9._\-~!'()*%=&]*)?$/);
      // Reading once more what was written finds nothing new.
      expect(parseRoute(method, upstreamTarget(route)).route).toEqual(route);
    }),
    { numRuns: 5000 },
  );
});
