import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { isFramable, requestHead } from "../../../src/forward/direct/request-head.ts";
import type { RequestBody, UpstreamRequest } from "../../../src/forward/transport.ts";

const body: RequestBody = { source: Readable.from([]), begin() {}, isComplete: () => true, passed() {} };

function request(given: Partial<UpstreamRequest>): UpstreamRequest {
  const keys = { route: undefined, connectionKey: "", clientKey: "" };
  return { method: "GET", target: "/", headers: {}, body: undefined, ...keys, ...given };
}

test("a request head has its line, each header and an empty line", () => {
  const headers = { host: "x", range: "bytes=0-", "x-real-ip": undefined, "content-length": 0, accept: ["a", "b"] };
  expect(requestHead(request({ target: "/v2/a/tags/list?n=1", headers }))).toEqual({
    method: "GET",
    head: "GET /v2/a/tags/list?n=1 HTTP/1.1\r\nhost: x\r\nrange: bytes=0-\r\ncontent-length: 0\r\naccept: a, b\r\n\r\n",
    framing: undefined,
  });
});

describe("the framing of a body", () => {
  test("is its length where that is known", () => {
    const { head, framing } = requestHead(request({ method: "PUT", headers: { "content-length": "12" }, body }));
    expect([head, framing]).toEqual(["PUT / HTTP/1.1\r\ncontent-length: 12\r\n\r\n", 12]);
  });

  test("is chunks where it is not", () => {
    const { head, framing } = requestHead(request({ method: "PATCH", body }));
    expect([head, framing]).toEqual(["PATCH / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n", "chunked"]);
  });

  test.each([
    ["a coding of somebody else", { "transfer-encoding": "chunked" }],
    ["chunks beside a length", { "transfer-encoding": "chunked", "content-length": "1" }],
    ["a length with a sign", { "content-length": "+1" }],
    ["two lengths", { "content-length": "1, 1" }],
    ["a negative length", { "content-length": -1 }],
    ["a fraction", { "content-length": 1.5 }],
    ["an inexact length", { "content-length": "1".repeat(17) }],
    ["no length", { "content-length": "" }],
  ])("is never that of others: %s", (_, headers) => {
    expect(() => requestHead(request({ method: "PUT", headers: { ...headers }, body }))).toThrow(TypeError);
  });

  test("is none without a body", () => {
    expect(() => requestHead(request({ method: "PUT", headers: { "content-length": "5" } }))).toThrow("is missing");
  });
});

describe("throws for an ambiguous request head", () => {
  test.each(["/a b", "/a\r\nX: y", "/\u00e9", "/a\u0000", "a", "", "/a\n"])("in a target: %j", (target) => {
    expect(() => requestHead(request({ target }))).toThrow("the request target is malformed");
  });
  test.each(["a\r\nX: y", "a\nb", "a\rb", "a\u0000", "\u0100", "a\n"])("in a header: %j", (value) => {
    expect(() => requestHead(request({ headers: { accept: value } }))).toThrow("the header accept is malformed");
  });
  test.each(["CONNECT", "TRACE", "OPTIONS", "get", "GET /x HTTP/1.1\r\nX:", ""])("in a method: %j", (method) => {
    expect(isFramable(request({ method }))).toBe(false);
    expect(() => requestHead(request({ method }))).toThrow("the method");
  });
});
