import { describe, expect, test } from "vitest";
import { parseRoute } from "../../src/route/parse-route.ts";

const sha256 = `sha256:${"0f".repeat(32)}`;
const id = "3304fa85-fef2-40a1-890e-c8e89458efd2";

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
  ["GET", "/v2/team/app/manifests/a%20b", 400, "NAME_INVALID"],
  ["GET", "/v2/team/app/manifests/a;b", 400, "NAME_INVALID"],
  ["GET", "/v2/team/app/manifests/.", 400, "NAME_INVALID"],
  ["GET", "/v2/team/app/manifests/..", 400, "NAME_INVALID"],
  ["GET", "/v2/team/app/blobs/uploads//", 400, "NAME_INVALID"],
  ["GET", "/v2/team/app/manifests/", 404, "MANIFEST_UNKNOWN"],
  ["PUT", "/v2/team/app/manifests/", 400, "TAG_INVALID"],
  ["GET", `/v2/team/app/manifests/${"t".repeat(129)}`, 404, "MANIFEST_UNKNOWN"],
  ["GET", "/v2/team/app/manifests/a+b", 404, "MANIFEST_UNKNOWN"],
  ["GET", `/v2/team/app/blobs/sha256:${"0F".repeat(32)}`, 400, "DIGEST_INVALID"],
  ["GET", `/v2/team/app/blobs/sha512:${"0f".repeat(32)}`, 400, "DIGEST_INVALID"],
  ["GET", `/v2/team/app/blobs/sha256:${"0f".repeat(33)}`, 400, "DIGEST_INVALID"],
  ["GET", `/v2/team/app/blobs/x:${"0".repeat(511)}`, 400, "DIGEST_INVALID"],
  ["GET", "/v2/team/app/blobs/", 400, "DIGEST_INVALID"],
  ["GET", "/v2/team/app/blobs/uploads", 400, "DIGEST_INVALID"],
  ["GET", `/v2/team/app/blobs/uploads/${"0".repeat(513)}`, 404, "BLOB_UPLOAD_UNKNOWN"],
  ["GET", "/v2/team/app/blobs/uploads/.x", 404, "BLOB_UPLOAD_UNKNOWN"],
  ["GET", "/v2/team/app/tags/list/", 404, "UNSUPPORTED"],
  ["GET", "/v2/tags/list", 404, "UNSUPPORTED"],
  ["POST", "/v2/blobs/uploads/", 404, "UNSUPPORTED"],
  ["GET", "/v2/manifests/latest", 404, "UNSUPPORTED"],
  ["GET", "/v2/_catalog/tags/list", 400, "NAME_INVALID"],
  ["GET", "/v2/team/app", 404, "UNSUPPORTED"],
  ["GET", "/v2/team/app/tags", 404, "UNSUPPORTED"],
  ["GET", "/v2/_catalog/", 404, "UNSUPPORTED"],
  ["GET", "/v2/team/app/manifests/v1?ns=", 400, "UNSUPPORTED"],
  ["GET", "/v2/team/app/manifests/v1?ns=mirror.example.com/library", 400, "UNSUPPORTED"],
  ["GET", "/v2/team/app/manifests/v1?ns=user%40mirror.example.com", 400, "UNSUPPORTED"],
  ["GET", "/v2/team/app/manifests/v1?ns=d%C3%B6cker.io", 400, "UNSUPPORTED"],
  ["GET", "/v2/team/app/manifests/v1?ns=mirror.example.com:99999", 400, "UNSUPPORTED"],
  ["GET", "/v2/team/app/manifests/v1?ns=mirror.example.com&ns=other.example.com", 400, "UNSUPPORTED"],
  ["GET", `/v2/team/app/blobs/${sha256}?ns=http:%2F%2Fmirror.example.com`, 400, "UNSUPPORTED"],
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
  ["GET", "/v2/team/app/tags/list?last=a#b", 400, "UNSUPPORTED"],
  ["GET", "/v2/team/app/tags/list?last=a b", 400, "UNSUPPORTED"],
  ["GET", "/v2/team/app/tags/list?last=\u00e9", 400, "UNSUPPORTED"],
  ["GET", "/v2/team/app/tags/list?last=\ud800", 400, "UNSUPPORTED"],
  ["GET", "/v2/team/app/tags/list?last=%ed%a0%80", 400, "UNSUPPORTED"],
  ["GET", "/v2/team/app/tags/list?n", 400, "PAGINATION_NUMBER_INVALID"],
  ["GET", "/v2/team/app/tags/list?n=", 400, "PAGINATION_NUMBER_INVALID"],
  ["GET", "/v2/team/app/tags/list?n=1e3", 400, "PAGINATION_NUMBER_INVALID"],
  ["GET", "/v2/team/app/tags/list?n=0x10", 400, "PAGINATION_NUMBER_INVALID"],
  ["GET", "/v2/team/app/tags/list?n=1234567890", 400, "PAGINATION_NUMBER_INVALID"],
  ["GET", "/v2/team/app/tags/list?n=1;last=a", 400, "UNSUPPORTED"],
  ["GET", "/v2/team/app/tags/list?last=a;b", 400, "UNSUPPORTED"],
  ["PATCH", `/v2/team/app/blobs/uploads/${id}?_state=ab;digest=${sha256}`, 400, "UNSUPPORTED"],
  ["PUT", `/v2/team/app/blobs/uploads/${id}?digest=${sha256}&digest=${sha256}`, 400, "UNSUPPORTED"],
  ["POST", `/v2/team/app/blobs/uploads/?mount=${sha256}&mount=${sha256}`, 400, "UNSUPPORTED"],
  ["POST", `/v2/team/app/blobs/uploads/?mount=${sha256}&from=Team`, 400, "NAME_INVALID"],
  ["POST", `/v2/team/app/blobs/uploads/?mount=${sha256}&from=`, 400, "NAME_INVALID"],
  ["GET", `/v2/team/app/referrers/${sha256}?artifactType=a&artifactType=b`, 400, "UNSUPPORTED"],
  ["GET", "/v2/team/app/tags/list?n=%", 400, "UNSUPPORTED"],
  ["GET", "/v2/team/app/tags/list?n=%C2%A01", 400, "PAGINATION_NUMBER_INVALID"],
  ["GET", "/v2/team/app/tags/list?n=%D9%A1", 400, "PAGINATION_NUMBER_INVALID"],
  ["GET", "/v2/team/app/tags/list?last=a+b", 400, "UNSUPPORTED"],
  ["GET", "/v2/team/app/tags/list?last=%C2%A0", 400, "UNSUPPORTED"],
  ["GET", "/v2/team/app/tags/list?last=%00", 400, "UNSUPPORTED"],
  ["GET", "/v2/_catalog?last=a%26n%3D1", 400, "UNSUPPORTED"],
  ["GET", `/v2/_catalog?last=${"a".repeat(1025)}`, 400, "UNSUPPORTED"],
  ["GET", `/v2/team/app/blobs/uploads/${id}?_state=x%26y%3D`, 400, "BLOB_UPLOAD_INVALID"],
  ["POST", "/v2/team/app/blobs/uploads/?digest-algorithm=", 400, "DIGEST_INVALID"],
  ["POST", "/v2/team/app/blobs/uploads/?digest-algorithm=SHA512", 400, "DIGEST_INVALID"],
  ["POST", "/v2/team/app/blobs/uploads/?digest-algorithm=sha512%3a0", 400, "DIGEST_INVALID"],
  ["POST", `/v2/team/app/blobs/uploads/?digest-algorithm=${"a".repeat(65)}`, 400, "DIGEST_INVALID"],
  ["POST", "/v2/team/app/blobs/uploads/?digest-algorithm=a&digest-algorithm=a", 400, "UNSUPPORTED"],
  ["PATCH", `/v2/team/app/blobs/uploads/${id}?_state=a%2Fb`, 400, "BLOB_UPLOAD_INVALID"],
  ["PUT", `/v2/team/app/blobs/uploads/${id}?_state=%C5%BF&digest=${sha256}`, 400, "BLOB_UPLOAD_INVALID"],
  ["DELETE", `/v2/team/app/blobs/uploads/${id}?_state=a===`, 400, "BLOB_UPLOAD_INVALID"],
  ["PATCH", `/v2/team/app/blobs/uploads/${id}?_state=${"a".repeat(4095)}==`, 400, "BLOB_UPLOAD_INVALID"],
  ["GET", `/v2/team/app/referrers/${sha256}?artifactType=a%20b`, 400, "UNSUPPORTED"],
  ["GET", `/v2/team/app/referrers/${sha256}?artifactType=a%2Fb%3Bc%3Dd`, 400, "UNSUPPORTED"],
  ["GET", `/v2/team/app/referrers/${sha256}?artifactType=%C2%A0a%2Fb`, 400, "UNSUPPORTED"],
  ["GET", `/v2/team/app/referrers/${sha256}?artifactType=*%2F*`, 400, "UNSUPPORTED"],
  ["GET", `/v2/team/app/referrers/${sha256}?artifactType=a%2F${"b".repeat(128)}`, 400, "UNSUPPORTED"],
];

describe("what is refused", () => {
  test.each(refused)("%s %s with %i %s", (method, target, status, code) => {
    const { refusal } = parseRoute(method, target);
    expect(refusal).toMatchObject({ status, code });
  });

  test("is a query of more parameters than any request has", () => {
    const target = (count: number) => `/v2/team/app/tags/list?${Array.from({ length: count }, () => "a=1").join("&")}`;
    expect(parseRoute("GET", target(32)).refusal).toBeUndefined();
    expect(parseRoute("GET", target(33)).refusal).toMatchObject({ status: 400, code: "UNSUPPORTED" });
  });

  test("is a query without end, by its first parameters", () => {
    const { refusal } = parseRoute("GET", `/v2/team/app/tags/list?${"a=1&".repeat(100_000)}`);
    expect(refusal).toMatchObject({ status: 400, code: "UNSUPPORTED" });
  });

  test("quotes no part of the request", () => {
    for (const [method, target] of refused) {
      const { message = "" } = parseRoute(method, target.replaceAll("team", "canary")).refusal ?? {};
      expect(message).not.toContain("canary");
    }
  });
});

const known: [target: string, ...methods: string[]][] = [
  ["/v2/", "GET", "HEAD"],
  ["/v2/_catalog", "GET"],
  ["/v2/team/app/tags/list", "GET", "HEAD"],
  ["/v2/team/app/manifests/v1", "GET", "HEAD", "PUT", "DELETE"],
  [`/v2/team/app/manifests/${sha256}`, "GET", "HEAD", "PUT", "DELETE"],
  [`/v2/team/app/blobs/${sha256}`, "GET", "HEAD", "DELETE"],
  ["/v2/team/app/blobs/uploads/", "POST"],
  [`/v2/team/app/blobs/uploads/${id}`, "GET", "HEAD", "PATCH", "PUT", "DELETE"],
  [`/v2/team/app/referrers/${sha256}`, "GET", "HEAD"],
];
const standard = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
const foreign = ["OPTIONS", "TRACE", "CONNECT", "PROPFIND", "MKCOL", "get", "Get", ""];

describe("a method", () => {
  test.each(known)(
    "of %s is one of those that the specification gives it, and Allow names them",
    (target, ...methods) => {
      for (const method of [...standard, ...foreign]) {
        const { route, refusal } = parseRoute(method, target);
        if (methods.includes(method)) expect(route, method).toBeDefined();
        else expect(refusal, method).toMatchObject({ status: 405, code: "UNSUPPORTED", allow: methods });
      }
    },
  );

  test("is not looked at before the repository's name is known to be one", () => {
    expect(parseRoute("POST", "/v2/Team/tags/list").refusal).toMatchObject({ status: 400, code: "NAME_INVALID" });
  });

  test("with which an upload is begun needs the slash at the end of the path", () => {
    expect(parseRoute("POST", "/v2/team/app/blobs/uploads").refusal).toMatchObject({ status: 405 });
  });
});
