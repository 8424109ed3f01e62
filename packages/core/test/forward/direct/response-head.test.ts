import { describe, expect, test } from "vitest";
import { MalformedResponseError, parseHead } from "../../../src/forward/direct/response-head.ts";

const parse = (...lines: string[]) => parseHead(lines.join("\r\n"));
const withHeader = (line: string) => parse("HTTP/1.1 200 OK", line);

describe("a status line", () => {
  test.each([
    ["HTTP/1.1 200 OK", 1, 200],
    ["HTTP/1.0 404 Not Found", 0, 404],
    ["HTTP/1.1 200 ", 1, 200],
    ["HTTP/1.1 200", 1, 200],
    ["HTTP/1.1 599 \u00e9\ttext", 1, 599],
  ])("%j is one", (line, minor, statusCode) => {
    expect(parse(line)).toEqual({ minor, statusCode, headers: {} });
  });

  test.each([
    "",
    "HTTP/1.2 200 OK",
    "HTTP/2 200 OK",
    "HTTP/1.1  200 OK",
    "HTTP/1.1 20 OK",
    "HTTP/1.1 2000 OK",
    "HTTP/1.1 099 OK",
    "HTTP/1.1 600 OK",
    "HTTP/1.1 +20 OK",
    "HTTP/1.1 200OK",
    "http/1.1 200 OK",
    " HTTP/1.1 200 OK",
    "HTTP/1.1 200 O\u0000K",
    "HTTP/1.1 200 OK\n",
    "HTTP/1.1 200 OK\rX: y",
    "HTTP/1.1 200 OK\u0100",
  ])("%j is none", (line) => {
    expect(() => parse(line)).toThrow(MalformedResponseError);
  });
});

describe("a header", () => {
  test.each([
    ["Content-Type: text/plain", { "content-type": "text/plain" }],
    ['ETAG:\t "a" \t', { etag: '"a"' }],
    ["X:", { x: "" }],
    ["!#$%&'*+-.^_`|~09aZ: :", { "!#$%&'*+-.^_`|~09az": ":" }],
    ["X: \u00e9\u00a0", { x: "\u00e9\u00a0" }],
    ["__proto__: x", { ["__proto__"]: "x" }],
  ])("%j is one", (line, headers) => {
    expect(Object.entries(withHeader(line).headers)).toEqual(Object.entries(headers));
  });

  test.each([
    "X",
    ": x",
    " X: folded",
    "\tX: folded",
    "X : y",
    "X\t: y",
    "X(: y",
    "\u00e9: y",
    "X: a\u0000b",
    "X: a\nY: b",
    "X: a\rb",
    "X: a\u007fb",
    "X: a\u0001b",
    "",
  ])("%j is none", (line) => {
    expect(() => withHeader(line)).toThrow(MalformedResponseError);
  });

  test("that is duplicated is joined, or the first counts, or it is refused where it frames the body", () => {
    const twice = (name: string) => parse("HTTP/1.1 200 OK", `${name}: 1`, `${name.toUpperCase()}: 2`).headers;
    expect(twice("link")).toEqual({ link: "1, 2" });
    for (const name of ["content-type", "etag", "expires", "last-modified", "location", "retry-after"]) {
      expect(twice(name)).toEqual({ [name]: "1" });
    }
    expect(() => twice("content-length")).toThrow("duplicate content-length header");
    expect(() => twice("transfer-encoding")).toThrow("duplicate transfer-encoding header");
  });
});
