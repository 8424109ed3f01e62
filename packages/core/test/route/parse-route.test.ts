import { describe, expect, test } from "vitest";
import { accessesOf } from "../../src/route/accesses.ts";
import { parseRoute } from "../../src/route/parse-route.ts";
import type { Route } from "../../src/route/route.ts";
import { upstreamTarget } from "../../src/route/upstream-target.ts";

const sha256 = `sha256:${"0f".repeat(32)}`;
const sha512 = `sha512:${"0f".repeat(64)}`;
const id = "3304fa85-fef2-40a1-890e-c8e89458efd2";

/** Method, target; then operation, access, and the target for the upstream where it is not the same. */
const understood: [method: string, target: string, operation: string, access: string, upstream?: string][] = [
  ["GET", "/v2/", "ping", ""],
  ["GET", "/v2", "ping", "", "/v2/"],
  ["HEAD", "/v2/", "ping", ""],
  ["GET", "/v2/_catalog", "list-repositories", ""],
  ["GET", "/v2/_catalog?n=10&last=team%2Fapp", "list-repositories", ""],
  ["GET", "/v2/app/tags/list", "list-tags", "pull app"],
  ["GET", "/v2/team/app/tags/list?n=5&last=v1", "list-tags", "pull team/app"],
  ["GET", "/v2/team/app/manifests/v1.0", "get-manifest", "pull team/app"],
  ["HEAD", `/v2/team/app/manifests/${sha256}`, "get-manifest", "pull team/app"],
  ["PUT", "/v2/team/app/manifests/v1.0", "put-manifest", "push team/app"],
  ["PUT", `/v2/team/app/manifests/${sha256}?tag=a&tag=b`, "put-manifest", "push team/app"],
  ["DELETE", "/v2/team/app/manifests/v1.0", "delete-manifest", "delete team/app"],
  ["DELETE", `/v2/team/app/manifests/${sha512}`, "delete-manifest", "delete team/app"],
  ["GET", `/v2/team/app/blobs/${sha256}`, "get-blob", "pull team/app"],
  ["HEAD", `/v2/team/app/blobs/${sha512}`, "get-blob", "pull team/app"],
  [
    "GET",
    "/v2/team/app/blobs/multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8",
    "get-blob",
    "pull team/app",
  ],
  ["DELETE", `/v2/team/app/blobs/${sha256}`, "delete-blob", "delete team/app"],
  ["POST", "/v2/team/app/blobs/uploads/", "start-upload", "push team/app"],
  [
    "POST",
    `/v2/team/app/blobs/uploads/?digest=${sha256}`,
    "start-upload",
    "push team/app",
    `/v2/team/app/blobs/uploads/?digest=${encodeURIComponent(sha256)}`,
  ],
  [
    "POST",
    `/v2/team/app/blobs/uploads/?mount=${sha256}&from=other/base`,
    "start-upload",
    "push team/app",
    `/v2/team/app/blobs/uploads/?mount=${encodeURIComponent(sha256)}&from=other%2Fbase`,
  ],
  [
    "POST",
    `/v2/team/app/blobs/uploads/?mount=${sha256}`,
    "start-upload",
    "push team/app",
    "/v2/team/app/blobs/uploads/",
  ],
  ["GET", `/v2/team/app/blobs/uploads/${id}?_state=abc_-%3D`, "get-upload", "push team/app"],
  ["PATCH", `/v2/team/app/blobs/uploads/${id}?_state=abc`, "continue-upload", "push team/app"],
  [
    "PUT",
    `/v2/team/app/blobs/uploads/${id}?_state=abc&digest=${sha256}`,
    "finish-upload",
    "push team/app",
    `/v2/team/app/blobs/uploads/${id}?_state=abc&digest=${encodeURIComponent(sha256)}`,
  ],
  ["DELETE", `/v2/team/app/blobs/uploads/${id}`, "cancel-upload", "push team/app"],
  ["GET", `/v2/team/app/referrers/${sha256}?artifactType=application%2Fx`, "list-referrers", "pull team/app"],
  ["GET", `/v2/team/app/referrers/${sha256}`, "list-referrers", "pull team/app"],
  ["HEAD", "/v2/team/app/tags/list", "list-tags", "pull team/app"],
  // A mirror of several registries is told which.
  ["HEAD", "/v2/library/app/manifests/v1?ns=mirror.example.com", "get-manifest", "pull library/app"],
  [
    "GET",
    `/v2/library/app/blobs/${sha256}?ns=LOCALHOST:05000`,
    "get-blob",
    "pull library/app",
    `/v2/library/app/blobs/${sha256}?ns=localhost%3A5000`,
  ],
  ["GET", "/v2/app/tags/list?n=5&ns=other.example.com", "list-tags", "pull app"],
  ["GET", `/v2/app/referrers/${sha256}?n=5&ns=other.example.com`, "list-referrers", "pull app"],
  ["PUT", "/v2/app/manifests/v1?ns=other.example.com", "put-manifest", "push app", "/v2/app/manifests/v1"],
  ["DELETE", "/v2/app/manifests/v1?ns=other.example.com", "delete-manifest", "delete app", "/v2/app/manifests/v1"],
  ["HEAD", `/v2/team/app/blobs/uploads/${id}`, "get-upload", "push team/app"],
  ["PUT", "/v2/team/app/manifests/v1?tag=v2", "put-manifest", "push team/app"],
  // Each of the names at its longest, and at its shortest.
  ["GET", `/v2/${"x".repeat(255)}/tags/list`, "list-tags", `pull ${"x".repeat(255)}`],
  ["GET", `/v2/0/manifests/${"T".repeat(128)}`, "get-manifest", "pull 0"],
  ["GET", `/v2/a/blobs/x:${"0".repeat(510)}`, "get-blob", "pull a"],
  ["GET", `/v2/a/blobs/uploads/${"0".repeat(512)}`, "get-upload", "push a"],
  ["GET", "/v2/a/manifests/_", "get-manifest", "pull a"],
  ["GET", "/v2/a__b/c---d/e.f/manifests/V1_0.x-y", "get-manifest", "pull a__b/c---d/e.f"],
  // Names that mean something elsewhere in a path.
  ["GET", "/v2/a/manifests/b/manifests/latest", "get-manifest", "pull a/manifests/b"],
  ["GET", "/v2/a/blobs/uploads/tags/list", "list-tags", "pull a/blobs/uploads"],
  ["POST", "/v2/a/blobs/uploads/blobs/uploads/", "start-upload", "push a/blobs/uploads"],
  ["GET", `/v2/a/blobs/uploads/blobs/${sha256}`, "get-blob", "pull a/blobs/uploads"],
  ["PATCH", "/v2/a/tags/list/blobs/uploads/x", "continue-upload", "push a/tags/list"],
  ["GET", "/v2/manifests/manifests/manifests", "get-manifest", "pull manifests"],
  ["GET", "/v2/tags/list/tags/list", "list-tags", "pull tags/list"],
  ["GET", "/v2/v2/tags/list", "list-tags", "pull v2"],
  ["GET", "/v2/a/manifests/list", "get-manifest", "pull a"],
  ["GET", "/v2/a/tags/manifests/list", "get-manifest", "pull a/tags"],
  ["GET", "/v2/blobs/manifests/uploads", "get-manifest", "pull blobs"],
  ["POST", "/v2/blobs/uploads/blobs/uploads/", "start-upload", "push blobs/uploads"],
  ["PUT", "/v2/a/blobs/uploads/manifests/latest", "put-manifest", "push a/blobs/uploads"],
  ["GET", `/v2/a/referrers/referrers/${sha256}`, "list-referrers", "pull a/referrers"],
  ["GET", "/v2/catalog/tags/list", "list-tags", "pull catalog"],
  // What a decoder makes of it is the same, and what is not known is left out.
  ["GET", "/v2/te%61m/app/manifests/v1", "get-manifest", "pull team/app", "/v2/team/app/manifests/v1"],
  ["GET", "/v2/team/app/man%69fests/v1?name=other&n=1", "get-manifest", "pull team/app", "/v2/team/app/manifests/v1"],
  ["GET", "/v2/team/app/tags/list?%6E=7", "list-tags", "pull team/app", "/v2/team/app/tags/list?n=7"],
  ["GET", "/v2/team/app/tags/list?last=a%2Bb", "list-tags", "pull team/app"],
  ["GET", "/v2/team/app/tags/list?last=YWxpY2U%3D", "list-tags", "pull team/app"],
  ["GET", "/v2/team/app/tags/list?n=007", "list-tags", "pull team/app", "/v2/team/app/tags/list?n=7"],
  ["GET", "/v2/team/app/tags/list?", "list-tags", "pull team/app", "/v2/team/app/tags/list"],
  ["GET", "/v2/team/app/tags/list?last", "list-tags", "pull team/app", "/v2/team/app/tags/list?last="],
  ["GET", "/v2/team/app/tags/list?&&", "list-tags", "pull team/app", "/v2/team/app/tags/list"],
  ["GET", "/v2/?n=1", "ping", "", "/v2/"],
  ["GET", "/v2?n=1", "ping", "", "/v2/"],
  ["GET", "/%76%32/", "ping", "", "/v2/"],
  ["DELETE", "/v2/team/app/manifests/v1?tag=v2", "delete-manifest", "delete team/app", "/v2/team/app/manifests/v1"],
  ["POST", "/v2/team/app/blobs/uploads/?from=other", "start-upload", "push team/app", "/v2/team/app/blobs/uploads/"],
  [
    "GET",
    `/v2/team/app/blobs/${sha256.replace(":", "%3A")}`,
    "get-blob",
    "pull team/app",
    `/v2/team/app/blobs/${sha256}`,
  ],
];

describe("a valid request", () => {
  test.each(understood)("%s %s is %s", (method, target, operation, access, upstream = target) => {
    const { route, refusal } = parseRoute(method, target);
    expect(refusal).toBeUndefined();
    if (route === undefined) return;
    expect(route.operation).toBe(operation);
    expect(accessesOf(route).map(({ action, name }) => `${action} ${name}`)).toEqual(access === "" ? [] : [access]);
    expect(upstreamTarget(route)).toBe(upstream);
  });
});

test.each<[method: string, target: string, route: Route]>([
  ["GET", "/v2/", { operation: "ping" }],
  ["GET", "/v2/_catalog?n=2&last=a%2Fb", { operation: "list-repositories", page: { n: 2, last: "a/b" } }],
  [
    "GET",
    "/v2/a/tags/list",
    { operation: "list-tags", repository: "a", page: { n: undefined, last: undefined }, namespace: undefined },
  ],
  ["DELETE", "/v2/a/manifests/v1", { operation: "delete-manifest", repository: "a", reference: "v1" }],
  [
    "PUT",
    `/v2/a/manifests/${sha256}?tag=x&tag=y`,
    { operation: "put-manifest", repository: "a", reference: sha256, tags: ["x", "y"] },
  ],
  [
    "HEAD",
    `/v2/a/blobs/${sha512}?ns=a:5`,
    { operation: "get-blob", repository: "a", reference: sha512, namespace: "a:5" },
  ],
  [
    "POST",
    `/v2/a/blobs/uploads/?mount=${sha256}&from=b/c&digest=${sha512}`,
    {
      operation: "start-upload",
      repository: "a",
      digest: sha512,
      mount: { digest: sha256, from: "b/c" },
      digestAlgorithm: undefined,
    },
  ],
  [
    "POST",
    "/v2/a/blobs/uploads/?digest-algorithm=sha512",
    { operation: "start-upload", repository: "a", digest: undefined, mount: undefined, digestAlgorithm: "sha512" },
  ],
  [
    "PUT",
    `/v2/a/blobs/uploads/${id}?digest=${sha256}&_state=x_y%3D`,
    { operation: "finish-upload", repository: "a", upload: id, state: "x_y=", digest: sha256 },
  ],
  [
    "GET",
    `/v2/a/referrers/${sha256}?artifactType=application%2Fspdx%2Bjson&n=3`,
    {
      operation: "list-referrers",
      repository: "a",
      reference: sha256,
      artifactType: "application/spdx+json",
      page: { n: 3, last: undefined },
      namespace: undefined,
    },
  ],
])("%s %s is parsed in every detail", (method, target, route) => {
  expect(parseRoute(method, target)).toEqual({ route });
});
