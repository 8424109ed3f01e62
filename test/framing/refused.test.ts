import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { authorization, host, lines, type Scene, startScene } from "./scene.ts";

/** Everything here is refused by the gate, and not one byte of it comes to the registry. */

let scene: Scene;

beforeAll(async () => {
  scene = await startScene();
});

afterAll(() => scene.close());

const get = (...headers: string[]): string =>
  lines("GET /v2/team/app/tags/list HTTP/1.1", host, authorization, ...headers, "", "");
const patch = (...more: string[]): string =>
  lines("PATCH /v2/team/app/blobs/uploads/1 HTTP/1.1", host, authorization, ...more);
const post = (...more: string[]): string =>
  lines("POST /v2/team/app/blobs/uploads/ HTTP/1.1", host, authorization, ...more);
const chunked = "Transfer-Encoding: chunked";
const date = "Sun, 06 Nov 1994 08:49:37 GMT";
const condition = (...headers: string[]): string =>
  lines("DELETE /v2/team/app/manifests/v1 HTTP/1.1", host, authorization, ...headers, "", "");
const form = (before: string): string =>
  post(`Content-Type: ${before}application/x-www-form-urlencoded`, "Content-Length: 5", "", "a=b&c");
const line = (text: string): string => lines(text, host, authorization, "", "");

type Case = readonly [what: string, bytes: string, status: number, code?: string];

const framing: readonly Case[] = [
  ["a length beside chunks", patch("Content-Length: 5", chunked, "", "0", "", ""), 400],
  ["chunks beside a length", patch(chunked, "Content-Length: 5", "", "0", "", ""), 400],
  ["two lengths", patch("Content-Length: 5", "Content-Length: 6", "", "12345"), 400],
  ["two equal lengths", patch("Content-Length: 5", "Content-Length: 5", "", "12345"), 400],
  ["a list of lengths", patch("Content-Length: 5, 5", "", "12345"), 400],
  ["a length with a plus", patch("Content-Length: +5", "", "12345"), 400],
  ["a length with a minus", patch("Content-Length: -5", "", "12345"), 400],
  ["a length in hex", patch("Content-Length: 0x5", "", "12345"), 400],
  ["a length that might be octal", patch("Content-Length: 05", "", "12345"), 400],
  ["a length with a blank in it", patch("Content-Length: 5 5", "", "12345"), 400],
  ["a length with a fraction", patch("Content-Length: 5.0", "", "12345"), 400],
  ["no digit for a length", patch("Content-Length: ", "", "12345"), 400],
  ["a length beyond 64 bits", patch("Content-Length: 99999999999999999999", "", "12345"), 400],
  ["a length beyond exact numbers", patch("Content-Length: 18446744073709551615", "", "12345"), 400],
  ["a blank before the colon of a length", patch("Content-Length : 5", "", "12345"), 400],
  ["a tab before the colon of a coding", patch("Transfer-Encoding\t: chunked", "", "0", "", ""), 400],
  ["chunks in HTTP/1.0", patch(chunked, "", "0", "", "").replace("1.1", "1.0"), 400],
  ["chunks beside a length in HTTP/1.0", patch(chunked, "Content-Length: 5", "", "0", "").replace("1.1", "1.0"), 400],
  ["a coding that is none", patch("Transfer-Encoding: xchunked", "", "0", "", ""), 400],
  ["a coding with a vertical tab", patch("Transfer-Encoding: \u000bchunked", "", "0", "", ""), 400],
  ["identity as a coding", patch("Transfer-Encoding: identity", "Content-Length: 5", "", "12345"), 400],
  ["gzip as a coding", patch("Transfer-Encoding: gzip", "", "12345"), 400],
  ["gzip before chunks", patch("Transfer-Encoding: gzip, chunked", "", "0", "", ""), 400],
  ["chunks before gzip", patch("Transfer-Encoding: chunked, gzip", "", "0", "", ""), 400],
  ["chunks twice", patch(chunked, chunked, "", "0", "", ""), 400],
  ["chunks and then identity", patch(chunked, "Transfer-Encoding: identity", "", "0", "", ""), 400],
  ["a chunk whose length has a sign", patch(chunked, "", "+5", "12345", "0", "", ""), 400],
  ["a chunk whose length is negative", patch(chunked, "", "-5", "12345", "0", "", ""), 400],
  ["a chunk whose length has 0x", patch(chunked, "", "0x5", "12345", "0", "", ""), 400],
  ["a chunk whose length has a blank", patch(chunked, "", "5 ", "12345", "0", "", ""), 400],
  ["a chunk without a length", patch(chunked, "", "", "12345", "0", "", ""), 400],
  ["a chunk longer than 64 bits", patch(chunked, "", "fffffffffffffffff", "12345", "0", "", ""), 400],
  ["a line feed alone after a chunk's length", patch(chunked, "", "5\n12345", "0", "", ""), 400],
  ["an extension of a chunk without an end", patch(chunked, "", `5;${"a".repeat(20_000)}`, "12345", "0", "", ""), 413],
  ["a body of GET", get("Content-Length: 5").concat("12345"), 400],
  ["a body of GET in chunks", get(chunked).concat(lines("5", "12345", "0", "", "")), 400],
  ["a body of DELETE", patch("Content-Length: 5", "", "12345").replace("PATCH", "DELETE"), 400],
  ["a body of HEAD", get("Content-Length: 5").concat("12345").replace("GET", "HEAD"), 400],
  ["a form", post("Content-Type: application/x-www-form-urlencoded", "Content-Length: 5", "", "a=b&c"), 415],
  ["a form after a no-break space", form("\u00a0"), 415],
  ["a form after a no-break space in UTF-8", form("\u00c2\u00a0"), 415],
  ["a form after a vertical tab", form("\u000b"), 400],
  ["a form spelt with a dotted capital I", form("").replace("appli", "appl\u00c4\u00b0"), 415],
  ["two types in one", post("Content-Type: a/b, c/d", "Content-Length: 1", "", "x"), 415],
  [
    "a range of a chunk that is none",
    patch("Content-Range: 4-0", "Content-Length: 5", "", "12345"),
    400,
    "BLOB_UPLOAD_INVALID",
  ],
  [
    "two ranges of a chunk",
    patch("Content-Range: 0-4", "Content-Range: 0-4", "Content-Length: 5", "", "12345"),
    400,
    "BLOB_UPLOAD_INVALID",
  ],
  ["a form of parts", post("Content-Type: multipart/form-data; boundary=x", "Content-Length: 5", "", "--x--"), 415],
];

const head: readonly Case[] = [
  ["two hosts", get("Host: other"), 400],
  ["one host twice", get(host), 400],
  ["no host", lines("GET /v2/ HTTP/1.1", authorization, "", ""), 400],
  ["no host in HTTP/1.0", lines("GET /v2/ HTTP/1.0", authorization, "", ""), 400],
  ["an empty host", lines("GET /v2/ HTTP/1.1", "Host:", authorization, "", ""), 400],
  ["a list of hosts", lines("GET /v2/ HTTP/1.1", "Host: a, b", authorization, "", ""), 400],
  ["a host with a path", lines("GET /v2/ HTTP/1.1", "Host: a/v2/", authorization, "", ""), 400],
  ["a host with a user", lines("GET /v2/ HTTP/1.1", "Host: a@b", authorization, "", ""), 400],
  ["two logins", get("Authorization: Basic Ym9iOmJvYg=="), 400],
  ["one login twice", get(authorization), 400],
  ["two types", post("Content-Type: a/b", "Content-Type: c/d", "Content-Length: 1", "", "x"), 400],
  ["a condition of a deletion that cannot be read", condition("If-Match: \u00e9"), 400],
  ["two dates of one condition", condition(`If-Unmodified-Since: ${date}`, `If-Unmodified-Since: ${date}`), 400],
  ["a folded header", get("Accept: a", " b"), 400],
  ["a header folded by a tab", get("Accept: a", "\tb"), 400],
  ["a folded first header", lines("GET /v2/ HTTP/1.1", ` ${host}`, authorization, "", ""), 400],
  ["a header without a colon", get("Accept"), 400],
  ["a header without a name", get(": x"), 400],
  ["a header with a blank in its name", get("Accept Encoding: x"), 400],
  ["a header with a letter of another script in its name", get("Accépt: x"), 400],
  ["a NUL in a header", get("Accept: a\u0000b"), 400],
  ["a carriage return alone in a header", get("Accept: a\rX-Forwarded-User: bob"), 400],
  ["a line feed alone in the head", get("Accept: a\nX-Forwarded-User: bob"), 400],
  ["a line feed alone at the head's end", get().replace(/\r\n\r\n$/, "\n\n"), 400],
  ["line feeds alone throughout", get().replaceAll("\r\n", "\n"), 400],
  ["a head longer than may be", get(`Accept: ${"a".repeat(33_000)}`), 431],
  ["a target longer than may be", line(`GET /v2/${"a".repeat(33_000)}/tags/list HTTP/1.1`), 431],
  ["more headers than may be", get(...Array.from({ length: 127 }, (_, index) => `X-${index}: 1`)), 431],
  ["more headers than Node keeps", get(...Array.from({ length: 2500 }, () => "A: 1")), 431],
  ["an expectation that is not known", get("Expect: 200-ok"), 417],
  ["an expectation beside the known one", post("Expect: 100-continue, x", "Content-Length: 1", "", "x"), 417],
  [
    "the known expectation twice",
    post("Expect: 100-continue", "Expect: 100-continue", "Content-Length: 1", "", "x"),
    417,
  ],
];

const requestLine: readonly Case[] = [
  ["a target in absolute form", line("GET http://registry.example.com/v2/team/app/tags/list HTTP/1.1"), 400],
  ["a target in absolute form, of another host", line("GET http://other/v2/team/app/tags/list HTTP/1.1"), 400],
  ["a target of another scheme", line("GET file:///v2/team/app/tags/list HTTP/1.1"), 400],
  ["a target without a slash", line("GET v2/team/app/tags/list HTTP/1.1"), 400],
  ["an authority as a target", line("GET registry.example.com:443 HTTP/1.1"), 400],
  ["a fragment", line("GET /v2/team/app/tags/list#x HTTP/1.1"), 400, "NAME_INVALID"],
  ["a blank in the target", line("GET /v2/team/app /tags/list HTTP/1.1"), 400],
  ["a carriage return in the target", line("GET /v2/team/app/tags/list\rX HTTP/1.1"), 400],
  ["bytes beyond ASCII in the target", line("GET /v2/téam/app/tags/list HTTP/1.1"), 400],
  ["CONNECT to the registry", line("CONNECT /v2/team/app/tags/list HTTP/1.1"), 405],
  ["CONNECT to anywhere", line("CONNECT registry:5000 HTTP/1.1"), 405],
  ["TRACE", line("TRACE /v2/team/app/tags/list HTTP/1.1"), 405],
  ["OPTIONS", line("OPTIONS /v2/team/app/tags/list HTTP/1.1"), 405],
  ["OPTIONS of everything", line("OPTIONS * HTTP/1.1"), 404],
  ["a method of WebDAV", line("MOVE /v2/team/app/manifests/v1 HTTP/1.1"), 405],
  ["a method that is none", line("FETCH /v2/team/app/tags/list HTTP/1.1"), 400],
  ["a method in lower case", line("get /v2/team/app/tags/list HTTP/1.1"), 400],
  ["the beginning of HTTP/2", lines("PRI * HTTP/2.0", "", "SM", "", ""), 400],
  ["HTTP/2.0 as a version", line("GET /v2/team/app/tags/list HTTP/2.0"), 505],
  ["HTTP/0.9 as a version", line("GET /v2/team/app/tags/list HTTP/0.9"), 505],
  ["HTTP/1.2", line("GET /v2/team/app/tags/list HTTP/1.2"), 400],
  ["HTTP/1.10", line("GET /v2/team/app/tags/list HTTP/1.10"), 400],
  ["HTTP in lower case", line("GET /v2/team/app/tags/list http/1.1"), 400],
  ["a tab in the request line", line("GET\t/v2/team/app/tags/list HTTP/1.1"), 400],
  ["TLS in plain HTTP", "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003", 400],
];

describe.each([
  ["the framing", framing],
  ["the head", head],
  ["the request line", requestLine],
])("refused for %s", (_, cases) => {
  const whole = cases.map(([what, bytes, status, code = "UNSUPPORTED"]) => ({ what, bytes, status, code }));
  test.each(whole)("$what", async ({ bytes, status, code }) => {
    const { responses, upstream } = await scene.say(bytes);
    expect(responses.map((response) => response.status)).toEqual([status]);
    const [response] = responses;
    // The response to HEAD has no body.
    if (!bytes.startsWith("HEAD")) {
      const error = { code, message: expect.any(String), detail: { requestId: response?.headers.get("x-request-id") } };
      expect(JSON.parse(response?.body ?? "")).toEqual({ errors: [error] });
    }
    expect(response?.headers.get("content-type")).toBe("application/json; charset=utf-8");
    expect(response?.headers.get("docker-distribution-api-version")).toBe("registry/2.0");
    expect(upstream).toBe("");
  });
});

test("logs an unreadable request without quoting it", async () => {
  const unreadable = () => scene.gate.lines().filter(({ event }) => event === "unreadable");
  await scene.say(get("Accept: canary\u0000"));
  const before = unreadable().length;
  await scene.say(get("Accept: canary\u0000"));
  await expect.poll(() => unreadable().length).toBeGreaterThan(before);
  expect(unreadable().at(-1)).toMatchObject({
    level: "info",
    client: "127.0.0.1",
    status: 400,
    reason: expect.stringMatching(/^HPE_/),
  });
  expect(scene.gate.output()).not.toContain("canary");
});
