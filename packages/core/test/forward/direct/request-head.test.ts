import { describe, expect, test } from "vitest";
import { requestHead } from "../../../src/forward/direct/request-head.ts";

test("a request head has its line, each header and an empty line", () => {
  const headers = { host: "x", range: "bytes=0-", "x-real-ip": undefined, "content-length": 0 };
  expect(requestHead("GET", "/v2/a/tags/list?n=1", headers)).toBe(
    "GET /v2/a/tags/list?n=1 HTTP/1.1\r\nhost: x\r\nrange: bytes=0-\r\ncontent-length: 0\r\n\r\n",
  );
});

describe("throws for an ambiguous request head", () => {
  test.each(["/a b", "/a\r\nX: y", "/\u00e9", "/a\u0000", "a", "", "/a\n"])("in a target: %j", (target) => {
    expect(() => requestHead("GET", target, {})).toThrow("the request target is malformed");
  });
  test.each(["a\r\nX: y", "a\nb", "a\rb", "a\u0000", "\u0100", "a\n"])("in a header: %j", (value) => {
    expect(() => requestHead("HEAD", "/", { accept: value })).toThrow("the header accept is malformed");
  });
});
