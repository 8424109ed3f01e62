import { expect, test } from "vitest";
import { digestOf } from "../../../../../test/support/registry-content.ts";
import { keepableHead } from "../../../src/forward/cache/keepable.ts";
import { headOf } from "./cached-transport.ts";

const content = "content";
const { headers } = headOf(content);

test.each([201, 203, 204, 206, 301, 304, 307, 400, 401, 403, 404, 416, 429, 500, 503])(
  "a response with the status %i is not kept, whatever its headers",
  (statusCode) => {
    expect(keepableHead({ statusCode, headers }, digestOf(content), 1000)).toBeUndefined();
  },
);

test.each([
  [undefined, Number.POSITIVE_INFINITY],
  ["public, immutable", Number.POSITIVE_INFINITY],
  ["max-age=10", 10_000],
  ['max-age="10"', 10_000],
  ["max-age=10, max-age=5", 5000],
  ["s-maxage=3, max-age=10", 3000],
  ["max-age=10,, MUST-REVALIDATE", 10_000],
  ["no-cache, max-age=10", 0],
  ["max-age=-1", undefined],
  ["max-age", undefined],
  ["max-age=1.5", undefined],
  ["Private", undefined],
  ["no-store", undefined],
  ["max age", undefined],
])("Cache-Control: %s allows %s ms", (control, lifetime) => {
  const head = headOf(content, { "cache-control": control });
  expect(keepableHead(head, digestOf(content), 1000)?.lifetime).toBe(lifetime);
});

test("a body has the digest asked for, and the one that the registry names, of whatever algorithm it can be checked", () => {
  const sha512 = `sha512:${"0".repeat(128)}`;
  expect(keepableHead(headOf(content), sha512, 1000)?.digests).toEqual([sha512, digestOf(content)]);
  expect(keepableHead(headOf(content), undefined, 1000)?.digests).toEqual([digestOf(content)]);
  const named = headOf(content, { "docker-content-digest": "sha384:00" });
  expect(keepableHead(named, sha512, 1000)).toBeUndefined();
});

test("a header that a client never sees makes no difference, and is not kept", () => {
  const head = headOf(content, { server: "nginx", "set-cookie": "sid=1", "x-powered-by": "registry" });
  expect({ ...keepableHead(head, undefined, 1000)?.headers }).toEqual({
    "content-length": "7",
    "content-type": headers["content-type"],
    "docker-content-digest": digestOf(content),
    etag: headers.etag,
  });
});

test("a body that is longer than the limit is not kept", () => {
  expect(keepableHead(headOf(content), undefined, 7)).toBeDefined();
  expect(keepableHead(headOf(content), undefined, 6)).toBeUndefined();
});
