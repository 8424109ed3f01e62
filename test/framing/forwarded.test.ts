import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectRaw } from "../support/raw-client.ts";
import { authorization, host, lines, type Scene, sent, startScene } from "./scene.ts";

/** Everything here is passed on, and what the registry is sent has none of the trick in it. */

let scene: Scene;

beforeAll(async () => {
  scene = await startScene();
});

afterAll(() => scene.close());

const tags = "GET /v2/team/app/tags/list HTTP/1.1";
const get = (...headers: string[]): string => lines(tags, host, authorization, ...headers, "", "");
const upload = "PATCH /v2/team/app/blobs/uploads/1 HTTP/1.1";
const patch = (...more: string[]): string => lines(upload, host, authorization, ...more);
const chunked = "Transfer-Encoding: chunked";
const octets = "content-type: application/octet-stream";
const fiveBytes = sent(upload, octets, chunked).concat(lines("5", "12345", "0", "", ""));

type Case = readonly [what: string, bytes: string, status: number, upstream: string];

const framing: readonly Case[] = [
  [
    "a body of a length",
    patch("Content-Length: 5", "", "12345"),
    404,
    sent(upload, octets, "content-length: 5").concat("12345"),
  ],
  ["a body of no length", patch("Content-Length: 0", "", ""), 404, sent(upload, "content-length: 0")],
  ["no body where one might be", patch("", ""), 404, sent(upload, "content-length: 0")],
  ["a body in chunks", patch(chunked, "", "5", "12345", "0", "", ""), 404, fiveBytes],
  [
    "chunks after blanks and in CAPITALS",
    patch("TRANSFER-ENCODING: \t CHUNKED", "", "5", "12345", "0", "", ""),
    404,
    fiveBytes,
  ],
  ["a chunk's length with zeros before it", patch(chunked, "", "0005", "12345", "000", "", ""), 404, fiveBytes],
  ["extensions of chunks", patch(chunked, "", "5;a=b;c", "12345", '0;x="y"', "", ""), 404, fiveBytes],
  [
    "trailers",
    patch(chunked, "Trailer: X", "", "5", "12345", "0", "X: y", authorization, "Host: x", "", ""),
    404,
    fiveBytes,
  ],
  ["empty lines before the request", `\r\n\r\n${get()}`, 404, sent(tags)],
  ["HTTP/1.0 that would be kept open", get("Connection: keep-alive").replace("1.1", "1.0"), 404, sent(tags)],
  ["two blanks in the request line", get().replace(" ", "  "), 404, sent(tags)],
];

const headers: readonly Case[] = [
  [
    "h2c offered",
    get("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"),
    404,
    sent(tags),
  ],
  [
    "a web socket offered",
    get("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: AA=="),
    404,
    sent(tags),
  ],
  [
    "another method by a header",
    get("X-HTTP-Method-Override: DELETE", "X-HTTP-Method: PUT", "X-Method-Override: PUT"),
    404,
    sent(tags),
  ],
  [
    "another target by a header",
    get("X-Original-URL: /v2/secret/app/tags/list", "X-Rewrite-URL: /v2/secret/app/tags/list"),
    404,
    sent(tags),
  ],
  [
    "other users by headers",
    get("X-Forwarded-User: root", "Remote-User: root", "X-Webauth-User: root"),
    404,
    sent(tags),
  ],
  [
    "headers with underscores",
    get("X_Forwarded_User: root", "Content_Length: 5", "X_Forwarded_For: 10.9.9.9"),
    404,
    sent(tags),
  ],
  ["headers with dots", get("X.Forwarded.User: root", "Content.Length: 5"), 404, sent(tags)],
  ["headers with other marks", get("X-Forwarded-User!: root", "!#$%&'*+^`|~: root"), 404, sent(tags)],
  [
    "headers to be taken away on the way",
    get("Connection: x-forwarded-for, x-real-ip, host, x-forwarded-user"),
    404,
    sent(tags),
  ],
  [
    "the body's length to be taken away on the way",
    patch("Connection: content-length", "Content-Length: 5", "", "12345"),
    404,
    sent(upload, octets, "content-length: 5").concat("12345"),
  ],
  [
    "addresses of its own",
    get("X-Forwarded-For: 10.9.9.9", "X-Real-IP: 10.9.9.9", "Forwarded: for=10.9.9.9;host=evil;proto=https"),
    404,
    sent(tags),
  ],
  [
    "a scheme and a host of its own",
    get("X-Forwarded-Proto: https", "X-Forwarded-Host: evil.example.com", "X-Forwarded-Port: 1"),
    404,
    sent(tags),
  ],
  ["a cookie", get("Cookie: session=1", "Cookie2: x"), 404, sent(tags)],
  ["a login for a proxy", get("Proxy-Authorization: Basic YTpi", "Proxy-Connection: keep-alive"), 404, sent(tags)],
  ["trailers asked for", get("TE: trailers", "Connection: TE"), 404, sent(tags)],
  ["an expectation without a body", get("Expect: 100-continue"), 404, sent(tags)],
  ["a type without a body", get("Content-Type: application/x-www-form-urlencoded"), 404, sent(tags)],
  [
    "what a registry's client says twice",
    get("Accept: a/b", "Accept: c/d", "User-Agent: x", "User-Agent: y"),
    404,
    sent(tags, "accept: a/b, c/d", "user-agent: x"),
  ],
  [
    "what a registry's client says once",
    get("X-Request-ID: 7", "Accept-Encoding: gzip"),
    404,
    sent(tags, "accept-encoding: gzip", "x-request-id: 7"),
  ],
  [
    "what lists do not need",
    get("Range: bytes=0-1", 'If-None-Match: "x"', "Cache-Control: no-cache", "Pragma: no-cache", "Accept-Language: de"),
    404,
    sent(tags),
  ],
  [
    "bytes beyond ASCII in headers",
    get(
      "Accept: \u00a0a/b",
      "Accept-Encoding: gz\u00c3\u00acp",
      "X-Request-Id: \u00e9",
      "traceparent: \u00e9",
      "User-Agent: J\u00fcrgen",
    ),
    404,
    sent(tags, "user-agent: J?rgen"),
  ],
];

describe.each([
  ["framing", framing],
  ["headers", headers],
])("passed on without the trick in its %s", (_, cases) => {
  test.each(cases)("%s", async (_, bytes, status, upstream) => {
    const outcome = await scene.say(bytes);
    expect(outcome.upstream).toBe(upstream);
    expect(outcome.responses.map((response) => response.status)).toEqual([status]);
    expect([...(outcome.responses[0]?.headers.keys() ?? [])]).not.toContain("upgrade");
  });
});

describe("a body that breaks off", () => {
  test.each<Case>([
    ["by a chunk that is none", patch(chunked, "", "5", "12345", "zz", ""), 400, "5\r\n12345\r\n"],
    ["by more than a chunk's length", patch(chunked, "", "5", "123456", "0", "", ""), 400, "5\r\n12345\r\n"],
    [
      "by a length among the trailers",
      patch(chunked, "", "5", "12345", "0", "Content-Length: 7", "", ""),
      400,
      "5\r\n12345\r\n",
    ],
    ["by a folded trailer", patch(chunked, "", "5", "12345", "0", "X: y", " z", "", ""), 400, "5\r\n12345\r\n"],
  ])("%s is never ended before the registry", async (_, bytes, status, body) => {
    const { responses, upstream } = await scene.say(bytes);
    expect(responses.map((response) => response.status)).toEqual([status]);
    expect(JSON.parse(responses[0]?.body ?? "")).toMatchObject({ errors: [{ code: "UNSUPPORTED" }] });
    // How much of it was passed on before is a matter of time, but its end never is.
    expect(sent(upload, octets, chunked).concat(body).startsWith(upstream)).toBe(true);
  });

  test("in a chunk of nearly 2⁶⁴ bytes is never ended before the registry", async () => {
    const client = await connectRaw(scene.gate.url);
    client.write(patch(chunked, "", "ffffffffffffffff", "12345"));
    const seen = sent(upload, octets, chunked).concat(lines("5", "12345", ""));
    let upstream = "";
    await expect.poll(() => (upstream += scene.relay.take().join(""))).toBe(seen);
    client.socket.destroy();
    // The registry is told by the end of the connection that there was more to come.
    const { upstream: further } = await scene.say(get());
    expect(further).toBe(sent(tags));
  });
});

describe("requests in a row on one connection", () => {
  const other = (target: string, ...more: string[]): string => lines(`GET ${target} HTTP/1.1`, host, ...more, "", "");

  test("are each judged for itself, answered in their order, and those refused are not sent on", async () => {
    const bytes = [
      other("/v2/team/app/tags/list", authorization),
      other("/v2/team/app/tags/list"),
      other("/v2/secret/app/tags/list", authorization),
      other("/v2/Team/app/tags/list", authorization),
      other("/v2/", authorization),
    ].join("");
    const { responses, upstream } = await scene.say(bytes, 5);
    expect(responses.map(({ status }) => status)).toEqual([404, 401, 403, 400, 200]);
    expect(upstream.match(/^[A-Z]+ \S+ HTTP.*$/gm)?.sort()).toEqual(["GET /v2/ HTTP/1.1", tags]);
  });

  test("are answered up to the one that cannot be read, which is answered in its turn and ends the connection", async () => {
    const { responses, upstream } = await scene.say(`${get()}nonsense\r\n\r\n${get()}`, 3);
    expect(responses.map(({ status }) => status)).toEqual([404, 400]);
    expect(responses[0]?.body).toContain("NAME_UNKNOWN");
    expect(responses[1]?.headers.get("connection")).toBe("close");
    expect(upstream).toBe(sent(tags));
  });

  test("begin where the length of a body says", async () => {
    const { responses, upstream } = await scene.say(patch("Content-Length: 2", "", "12345"), 2);
    expect(responses.map(({ status }) => status)).toEqual([404, 400]);
    expect(upstream).toBe(sent(upload, octets, "content-length: 2").concat("12"));
  });

  test("are not found in the body of another", async () => {
    const inner = lines("GET /v2/secret/app/tags/list HTTP/1.1", host, "", "");
    const length = `content-length: ${inner.length}`;
    const { responses, upstream } = await scene.say(patch(length, "", inner));
    expect(responses.map(({ status }) => status)).toEqual([404]);
    expect(upstream).toBe(sent(upload, octets, length).concat(inner));
  });

  test("are not found behind a body that was refused", async () => {
    const inner = lines("GET /v2/team/app/tags/list HTTP/1.1", host, authorization, "", "");
    const refused = lines(
      "PATCH /v2/secret/app/blobs/uploads/1 HTTP/1.1",
      host,
      authorization,
      `Content-Length: ${inner.length}`,
      "",
      inner,
    );
    const { responses, upstream } = await scene.say(refused + other("/v2/", authorization), 2);
    expect(responses.map(({ status }) => status)).toEqual([403, 200]);
    expect(upstream).toBe(sent("GET /v2/ HTTP/1.1"));
  });
});
