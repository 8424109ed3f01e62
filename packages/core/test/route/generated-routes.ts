import fc from "fast-check";
import type { Operation, Route } from "../../src/route/route.ts";

/** The methods of each operation in the OCI distribution specification 1.1 and in docker-registry's API. */
const methods: Readonly<Record<Operation, readonly string[]>> = {
  ping: ["GET", "HEAD"],
  "list-repositories": ["GET"],
  "list-tags": ["GET", "HEAD"],
  "get-manifest": ["GET", "HEAD"],
  "put-manifest": ["PUT"],
  "delete-manifest": ["DELETE"],
  "get-blob": ["GET", "HEAD"],
  "delete-blob": ["DELETE"],
  "start-upload": ["POST"],
  "get-upload": ["GET", "HEAD"],
  "continue-upload": ["PATCH"],
  "finish-upload": ["PUT"],
  "cancel-upload": ["DELETE"],
  "list-referrers": ["GET", "HEAD"],
};

/** Words that stand in paths for something else than a name. */
const keywords = ["manifests", "blobs", "uploads", "tags", "list", "referrers", "v2", "catalog", "latest"];

const component = fc.oneof(
  fc.constantFrom(...keywords, "a", "team", "app"),
  fc.stringMatching(/^[a-z0-9]{1,6}((\.|_|__|-{1,3})[a-z0-9]{1,4}){0,2}$/),
);
const repository = fc.array(component, { minLength: 1, maxLength: 5 }).map((parts) => parts.join("/"));
const tag = fc.oneof(fc.constantFrom(...keywords), fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,20}$/));
const digest = fc.oneof(
  fc.stringMatching(/^[0-9a-f]{64}$/).map((hex) => `sha256:${hex}`),
  fc.stringMatching(/^[0-9a-f]{128}$/).map((hex) => `sha512:${hex}`),
  fc.stringMatching(/^(b1|b1[+._-]b2):[A-Za-z0-9=_-]{1,40}$/),
);
const reference = fc.oneof(tag, digest);
const upload = fc.oneof(fc.uuid(), fc.stringMatching(/^[A-Za-z0-9_=-][A-Za-z0-9._=-]{0,40}$/));
/** What docker-registry calls an upload's state. */
const state = fc.oneof(fc.constantFrom("", "=", "==", "a"), fc.base64String().map(urlSafe));
/** A name, or what a registry has in its `Link` instead of one. */
const cursor = fc.oneof(repository, tag, digest, fc.base64String(), fc.constantFrom("", "+", "/", "~", "a@b", "a:b"));
const restrictedName = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,20}$/);
const artifactType = fc.array(restrictedName, { maxLength: 2 }).map((names) => names.join("/"));
const namespace = maybe(fc.constantFrom("mirror.example.com", "localhost:5000", "k8s.example.com", "[::1]:5000"));
const page = fc.record({ n: maybe(fc.nat({ max: 999_999_999 })), last: maybe(cursor) });

function urlSafe(base64: string): string {
  return base64.replaceAll("+", "-").replaceAll("/", "_");
}

function maybe<T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.option(value, { nil: undefined });
}

function operation<const T extends Operation>(...operations: T[]): fc.Arbitrary<T> {
  return fc.constantFrom(...operations);
}

/** Every operation, on names that a parser could mistake. */
export const routes: fc.Arbitrary<Route> = fc.oneof(
  fc.record({ operation: operation("ping") }),
  fc.record({ operation: operation("list-repositories"), page }),
  fc.record({ operation: operation("list-tags"), repository, page, namespace }),
  fc.record({ operation: operation("get-manifest"), repository, reference, namespace }),
  fc.record({ operation: operation("delete-manifest"), repository, reference }),
  fc.record({ operation: operation("put-manifest"), repository, reference, tags: fc.array(tag, { maxLength: 3 }) }),
  fc.record({ operation: operation("get-blob"), repository, reference: digest, namespace }),
  fc.record({ operation: operation("delete-blob"), repository, reference: digest }),
  fc.record({
    operation: operation("start-upload"),
    repository,
    digest: maybe(digest),
    mount: maybe(fc.record({ digest, from: repository })),
    digestAlgorithm: maybe(fc.constantFrom("sha256", "sha512", "a+b_c.d-e")),
  }),
  fc.record({
    operation: operation("get-upload", "continue-upload", "cancel-upload"),
    repository,
    upload,
    state: maybe(state),
  }),
  fc.record({ operation: operation("finish-upload"), repository, upload, state: maybe(state), digest: maybe(digest) }),
  fc.record({
    operation: operation("list-referrers"),
    repository,
    reference: digest,
    artifactType: maybe(artifactType),
    page,
    namespace,
  }),
);

/** A request, and what it means. */
export interface Meant {
  readonly method: string;
  readonly route: Route;
}

export const meant: fc.Arbitrary<Meant> = routes.chain((route) =>
  fc.constantFrom(...methods[route.operation]).map((method) => ({ method, route })),
);
