import { describe, expect, test } from "vitest";
import { accessesOf } from "../../src/route/accesses.ts";
import { parseRoute } from "../../src/route/parse-route.ts";
import { isRegistryTarget } from "../../src/route/target.ts";
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
  // What a decoder makes of it is the same, and what is not known is left out.
  ["GET", "/v2/te%61m/app/manifests/v1", "get-manifest", "pull team/app", "/v2/team/app/manifests/v1"],
  ["GET", "/v2/team/app/man%69fests/v1?name=other&n=1", "get-manifest", "pull team/app", "/v2/team/app/manifests/v1"],
  ["GET", "/v2/team/app/tags/list?%6E=7", "list-tags", "pull team/app", "/v2/team/app/tags/list?n=7"],
];

describe("what is understood", () => {
  test.each(understood)("%s %s is %s", (method, target, operation, access, upstream = target) => {
    const { route, refusal } = parseRoute(method, target);
    expect(refusal).toBeUndefined();
    if (route === undefined) return;
    expect(route.operation).toBe(operation);
    expect(accessesOf(route).map(({ action, name }) => `${action} ${name}`)).toEqual(access === "" ? [] : [access]);
    expect(upstreamTarget(route)).toBe(upstream);
  });
});

const refused: [method: string, target: string, status: number, code: string][] = [
  ["GET", "/v2/team%2Fapp/tags/list", 400, "NAME_INVALID"],
  ["GET", "/v2/team%2fapp/tags/list", 400, "NAME_INVALID"],
  ["GET", "/v2/team%5Capp/tags/list", 400, "NAME_INVALID"],
  ["GET", "/v2/team\\app/tags/list", 400, "NAME_INVALID"],
  ["GET", "/v2/team/%2e%2e/app/tags/list", 400, "NAME_INVALID"],
  ["GET", "/v2/team/../app/tags/list", 400, "NAME_INVALID"],
  ["GET", "/v2/team/./app/tags/list", 400, "NAME_INVALID"],
  ["GET", "/v2/team//app/tags/list", 400, "NAME_INVALID"],
  ["GET", "/v2//team/app/tags/list", 400, "NAME_INVALID"],
  ["GET", "/v2/team/app%00/tags/list", 400, "NAME_INVALID"],
  ["GET", "/v2/team/app%23/tags/list", 400, "NAME_INVALID"],
  ["GET", "/v2/team/app#/tags/list", 400, "NAME_INVALID"],
  ["GET", "/v2/team/app;x=y/tags/list", 400, "NAME_INVALID"],
  ["GET", "/v2/team/app%3bx/tags/list", 400, "NAME_INVALID"],
  ["GET", "/v2/te%2561m/app/tags/list", 400, "NAME_INVALID"],
  ["GET", "/v2/team/app%0a/tags/list", 400, "NAME_INVALID"],
  ["GET", "/v2/team/app%20/tags/list", 400, "NAME_INVALID"],
  ["GET", "/v2/team/%C3%A9/tags/list", 400, "NAME_INVALID"],
  ["GET", "/v2/team/%zz/tags/list", 400, "UNSUPPORTED"],
  ["GET", "/v2/team/%c0%af/tags/list", 400, "UNSUPPORTED"],
  ["GET", "/v2/Team/app/tags/list", 400, "NAME_INVALID"],
  ["GET", "/v2/te_/tags/list", 400, "NAME_INVALID"],
  ["GET", "/v2/_te/tags/list", 400, "NAME_INVALID"],
  ["GET", "/v2/a..b/tags/list", 400, "NAME_INVALID"],
  ["GET", "/v2/a___b/tags/list", 400, "NAME_INVALID"],
  ["GET", `/v2/${"x".repeat(256)}/tags/list`, 400, "NAME_INVALID"],
  ["GET", "/v2/%762/app/tags/list/../tags/list", 400, "NAME_INVALID"],
  ["GET", "http://registry/v2/app/tags/list", 400, "UNSUPPORTED"],
  ["OPTIONS", "*", 400, "UNSUPPORTED"],
  ["GET", "/v2/team/app/blobs/sha256:0f", 400, "DIGEST_INVALID"],
  ["GET", `/v2/team/app/blobs/${sha256.toUpperCase()}`, 400, "DIGEST_INVALID"],
  ["GET", "/v2/team/app/blobs/latest", 400, "DIGEST_INVALID"],
  ["GET", "/v2/team/app/referrers/latest", 400, "DIGEST_INVALID"],
  ["GET", "/v2/team/app/manifests/sha256:zz", 400, "DIGEST_INVALID"],
  ["PUT", "/v2/team/app/manifests/.hidden", 400, "TAG_INVALID"],
  ["PUT", `/v2/team/app/manifests/${"t".repeat(129)}`, 400, "TAG_INVALID"],
  ["PUT", `/v2/team/app/manifests/${sha256}?tag=-x`, 400, "TAG_INVALID"],
  ["GET", "/v2/team/app/manifests/.hidden", 404, "MANIFEST_UNKNOWN"],
  ["GET", "/v2/team/app/blobs/uploads/a@b", 404, "BLOB_UPLOAD_UNKNOWN"],
  ["GET", "/v2/team/app", 404, "UNSUPPORTED"],
  ["GET", "/v2/team/app/tags", 404, "UNSUPPORTED"],
  ["GET", "/v2/_catalog/", 404, "UNSUPPORTED"],
  ["GET", "/v2/_catalog?n=-1", 400, "PAGINATION_NUMBER_INVALID"],
  ["GET", "/v2/_catalog?n=x", 400, "PAGINATION_NUMBER_INVALID"],
  ["GET", "/v2/_catalog?n=1&n=2", 400, "UNSUPPORTED"],
  ["GET", "/v2/team/app/tags/list?last=a&l%61st=b", 400, "UNSUPPORTED"],
  ["PATCH", `/v2/team/app/blobs/uploads/${id}?_state=a&_state=b`, 400, "UNSUPPORTED"],
  ["POST", `/v2/team/app/blobs/uploads/?mount=${sha256}&from=a&from=b`, 400, "UNSUPPORTED"],
  ["POST", `/v2/team/app/blobs/uploads/?mount=${sha256}&from=..%2Fother`, 400, "NAME_INVALID"],
  ["POST", "/v2/team/app/blobs/uploads/?mount=latest&from=other", 400, "DIGEST_INVALID"],
  ["POST", "/v2/team/app/blobs/uploads/?digest=latest", 400, "DIGEST_INVALID"],
  ["GET", `/v2/team/app/tags/list?${"a=1&".repeat(40)}`, 400, "UNSUPPORTED"],
  ["GET", "/v2/team/app/tags/list?n=%", 400, "UNSUPPORTED"],
  ["POST", "/v2/", 405, "UNSUPPORTED"],
  ["POST", "/v2/team/app/blobs/uploads", 405, "UNSUPPORTED"],
  ["DELETE", "/v2/_catalog", 405, "UNSUPPORTED"],
  ["HEAD", "/v2/_catalog", 405, "UNSUPPORTED"],
  ["POST", "/v2/team/app/tags/list", 405, "UNSUPPORTED"],
  ["PATCH", "/v2/team/app/manifests/v1", 405, "UNSUPPORTED"],
  ["PUT", `/v2/team/app/blobs/${sha256}`, 405, "UNSUPPORTED"],
  ["GET", "/v2/team/app/blobs/uploads/", 405, "UNSUPPORTED"],
  ["POST", `/v2/team/app/blobs/uploads/${id}`, 405, "UNSUPPORTED"],
  ["OPTIONS", "/v2/team/app/tags/list", 405, "UNSUPPORTED"],
  ["TRACE", "/v2/", 405, "UNSUPPORTED"],
];

describe("what is refused", () => {
  test.each(refused)("%s %s with %i %s", (method, target, status, code) => {
    const { refusal } = parseRoute(method, target);
    expect(refusal).toMatchObject({ status, code });
    if (status === 405) expect(refusal?.allow?.length).toBeGreaterThan(0);
  });

  test("names no part of what was asked", () => {
    for (const [method, target] of refused) {
      const { message = "" } = parseRoute(method, target.replaceAll("team", "canary")).refusal ?? {};
      expect(message).not.toContain("canary");
    }
  });
});

describe("a target is the registry's", () => {
  const theirs = [
    "/v2",
    "/v2/",
    "/v2?x",
    "/v2/app/tags/list",
    "/%762/app",
    "/V2/app",
    "//v2/app",
    "/./v2/app",
    "/x/../v2/app",
  ];
  const nearly = ["/x/%2e%2e/v2/", "/%2576%2532/", "\\v2\\", "/v2%2fapp", "http://registry/v2/", "/;/../v2/"];
  test.each([...theirs, ...nearly])("when it is %s, or would become so for a lenient reader", (target) => {
    if (target !== "/V2/app") expect(isRegistryTarget(target)).toBe(true);
    const { route } = parseRoute("GET", target);
    if (!target.startsWith("/v2")) expect(route).toBeUndefined();
  });

  test.each(["/", "/v1/", "/v2x", "/v20/", "/app/v2/", "/?/v2/", "/favicon.ico", "/api/v2/x"])(
    "and not when it is %s",
    (target) => {
      expect(isRegistryTarget(target)).toBe(false);
    },
  );
});
