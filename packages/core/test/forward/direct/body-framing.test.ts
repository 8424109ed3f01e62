import { describe, expect, test } from "vitest";
import { framingOf } from "../../../src/forward/direct/body-framing.ts";

function framing(headers: Record<string, string>, more: { statusCode?: number; minor?: 0 | 1; method?: "HEAD" } = {}) {
  const { statusCode = 200, minor = 1, method = "GET" } = more;
  return framingOf({ statusCode, minor, headers }, method);
}

describe("a body ends", () => {
  test("after its length", () => {
    expect(framing({ "content-length": "5" })).toEqual({ body: 5, reusable: true });
    expect(framing({ "content-length": "0" })).toEqual({ body: 0, reusable: true });
    expect(framing({ "content-length": "007" })).toEqual({ body: 7, reusable: true });
  });
  test("after its last chunk", () => {
    expect(framing({ "transfer-encoding": "Chunked" })).toEqual({ body: "chunked", reusable: true });
  });
  test("with the connection, without Content-Length and Transfer-Encoding", () => {
    expect(framing({})).toEqual({ body: "until-close", reusable: false });
    expect(framing({}, { minor: 0 })).toEqual({ body: "until-close", reusable: false });
  });
  test("at once, where there is none", () => {
    const announced = { "content-length": "5" };
    expect(framing(announced, { method: "HEAD" })).toEqual({ body: 0, reusable: true });
    expect(framing({ "transfer-encoding": "chunked" }, { method: "HEAD" })).toEqual({ body: 0, reusable: true });
    expect(framing(announced, { statusCode: 304 })).toEqual({ body: 0, reusable: true });
    expect(framing({}, { statusCode: 204 })).toEqual({ body: 0, reusable: true });
  });
  test("at once with 204, whose connection is not reused where a body is announced", () => {
    expect(framing({ "content-length": "0" }, { statusCode: 204 }).reusable).toBe(true);
    expect(framing({ "content-length": "5" }, { statusCode: 204 })).toEqual({ body: 0, reusable: false });
    expect(framing({ "transfer-encoding": "chunked" }, { statusCode: 204 })).toEqual({ body: 0, reusable: false });
  });
});

describe("ambiguous framing is refused", () => {
  test.each([
    [{ "content-length": "5", "transfer-encoding": "chunked" }],
    [{ "transfer-encoding": "gzip" }],
    [{ "transfer-encoding": "gzip, chunked" }],
    [{ "transfer-encoding": "chunked, chunked" }],
    [{ "transfer-encoding": "xchunked" }],
    [{ "transfer-encoding": "" }],
    [{ "content-length": "" }],
    [{ "content-length": "5, 5" }],
    [{ "content-length": "+5" }],
    [{ "content-length": "-5" }],
    [{ "content-length": "0x5" }],
    [{ "content-length": "5.0" }],
    [{ "content-length": "1e3" }],
    [{ "content-length": "1".repeat(16) }],
  ])("%j", (headers) => {
    for (const more of [{}, { method: "HEAD" }, { statusCode: 204 }, { statusCode: 304 }] as const) {
      expect(() => framing(headers, more)).toThrow();
    }
  });
  test("chunks in HTTP/1.0", () => {
    expect(() => framing({ "transfer-encoding": "chunked" }, { minor: 0 })).toThrow("ambiguous");
  });
});

describe("a connection is not reused", () => {
  test.each(["close", "Close", "keep-alive, close", "close ,x", "x,\tCLOSE"])("after Connection: %s", (connection) => {
    expect(framing({ "content-length": "5", connection }).reusable).toBe(false);
  });
  test.each(["keep-alive", "closed", "x-close", ""])("but is reused after Connection: %s", (connection) => {
    expect(framing({ "content-length": "5", connection }).reusable).toBe(true);
  });
  test("after a response of HTTP/1.0", () => {
    expect(framing({ "content-length": "5", connection: "keep-alive" }, { minor: 0 }).reusable).toBe(false);
  });
});
