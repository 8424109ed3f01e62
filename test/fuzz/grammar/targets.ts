import fc from "fast-check";
import { owners } from "../oracle.ts";
import { spaces, strangers } from "./spaces.ts";

/** Methods of others, of none, and in no form. */
export const oddMethod: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("CONNECT") },
  {
    weight: 10,
    arbitrary: fc.constantFrom("OPTIONS", "TRACE", "PRI", "MOVE", "PROPFIND", "QUERY", "SEARCH", "PURGE", "LINK"),
  },
  {
    weight: 5,
    arbitrary: fc.constantFrom(
      "get",
      "Get",
      "FETCH",
      "",
      "GET ",
      "\tGET",
      "G\u0000T",
      "X".repeat(40_000),
      "GÉT",
      "\u0016\u0003\u0001",
    ),
  },
);

const targetOfSomebody: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      "a:1",
      "127.0.0.1:5000",
      "*",
      "",
      "/",
      "/v2",
      "v2/{o}/{m}/tags/list",
      "http://[::1/",
      "http://[::1/v2/{o}/{m}/tags/list",
      "http://registry.example.com/v2/{o}/{m}/tags/list",
      "http://mally@registry.example.com/v2/{o}/{m}/tags/list",
      "https://registry.example.com",
      "file:///v2/{o}/{m}/tags/list",
      "//registry.example.com/v2/{o}/{m}/tags/list",
      "/%762/{o}/{m}/tags/list",
      "/V2/{o}/{m}/tags/list",
    ),
  },
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      "/v2//{o}/{m}/tags/list",
      "/v2/{o}//{m}/tags/list",
      "/v2/./{o}/{m}/tags/list",
      "/v2/world/../{o}/{m}/tags/list",
      "/v2/world/x/tags/list/../../../../{o}/{m}/tags/list",
      "/v2/world%2f..%2f{o}/{m}/tags/list",
      "/v2/world/%2e%2e/{o}/{m}/tags/list",
      "/v2/world\\..\\{o}/{m}/tags/list",
      "/v2/world;/../{o}/{m}/tags/list",
      "/x/../v2/{o}/{m}/tags/list",
      "/v2/{o}/{m}/tags/list#/../../../world/x/tags/list",
      "/v2/{o}/{m}/tags/list%3fn=1",
      "/v2/{o}/{m}/tags/list%00",
      "/v2/{o}/{m}/tags/list/",
      "/v2/{o}/{m}/manifests/world/x/tags/list",
      "/v2/{o}/{m}/manifests/a%20HTTP/1.1",
      "/v2/{o}/{m}/manifests/a%0d%0aX:%20y",
      "/v2/{o}/{m}/manifests/a HTTP/1.1",
      "/v2/{o}/{m}/manifests/latest?{m}",
      `/v2/{o}/{m}/blobs/uploads/?mount=sha256:${"ab".repeat(32)}&from=world/x&from={o}/img`,
      `/v2/{o}/{m}/blobs/uploads/?mount=sha256:${"ab".repeat(32)}&from=world/x;from={o}/img`,
      `/v2/{o}/{m}/blobs/uploads/?mount=sha256:${"ab".repeat(32)}&from=world/x%26from={o}/img`,
      `/v2/{o}/{m}/blobs/uploads/?mount=sha256:${"ab".repeat(32)}&fr%6fm={o}%2fimg`,
      `/v2/{o}/{m}/blobs/uploads/%3fmount=sha256:${"ab".repeat(32)}&from={o}/img`,
      "/v2/{o}/{m}/tags/list?n=999999999&last=%ff",
      "/v2/_catalog?n=1",
      "/v2/_catalog?n=0&last=alice/",
      "/v2/_catalog/?n=1",
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(...strangers, ...spaces).map((stranger) => `/v2/{o}/{m}${stranger}/tags/list`),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      `/v2/{o}/{m}/${"a/".repeat(20_000)}tags/list`,
      `/v2/{o}/{m}/tags/list?${"a=b&".repeat(200)}`,
    ),
  },
);

/** Targets that mean something else to somebody, or nothing to anybody. */
export const oddTarget: fc.Arbitrary<string> = fc
  .tuple(targetOfSomebody, fc.constantFrom(...owners))
  .map(([target, owner]) => target.replaceAll("{o}", owner));

export const oddVersion: fc.Arbitrary<string> = fc.constantFrom(
  "HTTP/1.0",
  "HTTP/1.0",
  "HTTP/0.9",
  "HTTP/1.2",
  "HTTP/1.10",
  "HTTP/2.0",
  "http/1.1",
  "HTTP/1.1 ",
  "HTTP /1.1",
  "",
);
