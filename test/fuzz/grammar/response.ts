import fc from "fast-check";
import type { ResponseBodySpec, ResponseSpec, TailSpec } from "../case/fuzz-case.ts";
import { spaces, strangers } from "./spaces.ts";

const wholeLast = "0\r\n\r\n";

const plainly = {
  when: "body",
  wait: 0,
  interim: [],
  lineEnd: "\r\n",
  tail: null,
  cut: null,
  size: 0,
  ending: "keep",
  quality: "good",
} as const;

const plain = (marks: number): ResponseBodySpec => ({ coding: "plain", marks, last: wholeLast });
const chunked = (marks: number): ResponseBodySpec => ({ coding: "chunked", marks, last: wholeLast });
const none: ResponseBodySpec = { coding: "none", marks: 0, last: wholeLast };

const type = "Content-Type: application/octet-stream";
const length = "Content-Length: {length}";
const coding = "Transfer-Encoding: chunked";

/** What a request gets that no response was chosen for. */
export const ordinaryResponse: ResponseSpec = { ...plainly, head: ["HTTP/1.1 200 OK", type, length], body: plain(2) };

const anyMarks = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(0, 1, 2, 50, 1000) },
  { weight: 2, arbitrary: fc.constantFrom(5000, 20_000) },
  { weight: 1, arbitrary: fc.constantFrom(400_000) },
);

/** Responses as registries give them. */
export const properResponse: fc.Arbitrary<ResponseSpec> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(anyMarks, fc.constantFrom("200 OK", "201 Created", "404 Not Found", "416 Range")).map(
      ([marks, status]): ResponseSpec => ({
        ...plainly,
        head: [`HTTP/1.1 ${status}`, type, length],
        body: plain(marks),
      }),
    ),
  },
  {
    weight: 3,
    arbitrary: anyMarks.map(
      (marks): ResponseSpec => ({ ...plainly, head: ["HTTP/1.1 200 OK", type, coding], body: chunked(marks) }),
    ),
  },
  {
    weight: 2,
    arbitrary: anyMarks.map(
      (marks): ResponseSpec => ({
        ...plainly,
        head: ["HTTP/1.1 200 OK", type, "Connection: close"],
        body: plain(marks),
        ending: "close",
      }),
    ),
  },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom("204 No Content", "304 Not Modified")
      .map((status): ResponseSpec => ({ ...plainly, head: [`HTTP/1.1 ${status}`, 'ETag: "{m}"'], body: none })),
  },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom<readonly string[]>(
        ["HTTP/1.1 202 Accepted", "Location: /v2/world/x/blobs/uploads/1?_state=a", "Range: 0-9", "Content-Length: 0"],
        ["HTTP/1.1 307 Temporary Redirect", "Location: http://storage.example.com/a?b=c", "Content-Length: 0"],
      )
      .map((head): ResponseSpec => ({ ...plainly, head, body: none })),
  },
);

/** When it comes and in what writes changes nothing of what it says. */
const timed = fc
  .tuple(
    properResponse,
    fc.constantFrom<ResponseSpec["when"]>("body", "body", "head"),
    fc.constantFrom(0, 5, 60, 400),
    fc.constantFrom(0, 1, 13, 1460, 20_000),
    fc.constantFrom<readonly string[]>(
      [],
      [],
      ["HTTP/1.1 102 Processing\r\n\r\n"],
      ["HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"],
    ),
  )
  .map(([response, when, wait, size, interim]): ResponseSpec => {
    const written = response.body.marks > 1000 ? Math.max(size, 1460) : size;
    // A request that is answered before it has come whole may well be cut short.
    return {
      ...response,
      when,
      wait,
      size: size === 0 ? 0 : written,
      interim,
      quality: when === "head" ? "odd" : "good",
    };
  });

const neverResponded: ResponseSpec = { ...ordinaryResponse, when: "never", quality: "odd" };

const anyTail = fc
  .tuple(fc.constantFrom<TailSpec["kind"]>("body", "response", "response"), fc.constantFrom(0, 0, 0, 1, 5, 50))
  .map(([kind, wait]): TailSpec => ({ kind, wait }));

/** A response that is whole, and then more. */
const followed = fc
  .tuple(properResponse, anyTail, fc.constantFrom(0, 0, 1460))
  .filter(([response]) => response.ending === "keep")
  .map(([response, tail, size]): ResponseSpec => ({ ...response, tail, size }));

/** A response that does not come whole. */
const cutShort = fc
  .tuple(
    properResponse,
    fc.oneof(fc.nat({ max: 300 }), fc.nat({ max: 120 }), fc.nat({ max: 50_000 })),
    fc.constantFrom<ResponseSpec["ending"]>("close", "reset"),
    fc.constantFrom(0, 0, 1),
  )
  .map(([response, cut, ending, size]): ResponseSpec => ({ ...response, cut, ending, size, quality: "odd" }));

const shortBody = fc
  .tuple(fc.constantFrom(1, 50, 5000), fc.constantFrom<ResponseSpec["ending"]>("close", "reset", "keep"), fc.boolean())
  .map(([marks, ending, inChunks]): ResponseSpec => {
    const broken = { ...plainly, ending, quality: "broken" } as const;
    return inChunks
      ? { ...broken, head: ["HTTP/1.1 200 OK", type, coding], body: { coding: "chunked", marks, last: "" } }
      : { ...broken, head: ["HTTP/1.1 200 OK", type, "Content-Length: 1000000"], body: plain(marks) };
  });

const oddStatus = fc.oneof(
  fc.nat({ max: 999 }).map((status) => `${status}`.padStart(3, "0")),
  fc.constantFrom(
    "099",
    "000",
    "001",
    "100",
    "101",
    "102",
    "103",
    "199",
    "205",
    "206",
    "407",
    "401",
    "600",
    "999",
    "1000",
    "99",
    "-20",
    "2OO",
    "",
    "20 0",
  ),
);

const strangeStatus = fc
  .tuple(
    oddStatus,
    fc.constantFrom(
      "HTTP/1.1",
      "HTTP/1.1",
      "HTTP/1.1",
      "HTTP/1.1",
      "HTTP/1.0",
      "HTTP/1.2",
      "HTTP/2",
      "ICY",
      "http/1.1",
    ),
    fc.constantFrom(" OK", "", " ", " \u00e9", " \u0000", ` ${"x".repeat(2000)}`),
    fc.constantFrom(plain(1), none, chunked(1)),
  )
  .map(
    ([status, version, reason, body]): ResponseSpec => ({
      ...plainly,
      head: [
        `${version} ${status}${reason}`,
        type,
        ...(body.coding === "chunked" ? [coding] : body.coding === "plain" ? [length] : ["Content-Length: 0"]),
      ],
      body,
      quality: "odd",
    }),
  );

const headerNames = [
  "Docker-Content-Digest",
  "Location",
  "Link",
  "ETag",
  "Range",
  "Docker-Upload-UUID",
  "Content-Type",
  "Content-Range",
  "WWW-Authenticate",
  "Warning",
  "Retry-After",
  "Vary",
];

const oddLine = fc.oneof(
  fc.constantFrom(
    "Content-Length: {length}",
    "Content-Length: 0",
    "Content-Length: 5",
    "Content-Length: -1",
    "Content-Length: 99999999999999999999",
    "Content-Length: {length}, {length}",
    "Content-Length: 0x10",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: identity",
    "Transfer-Encoding: gzip, chunked",
    "Transfer-Encoding: chunked, chunked",
    "Transfer-Encoding: xchunked",
    "Transfer-Encoding: \u000bchunked",
    "Transfer-Encoding : chunked",
    "Connection: close",
    "Connection: keep-alive, Content-Length",
    "Connection: Upgrade",
    "Upgrade: h2c",
    "Keep-Alive: timeout=0, max=0",
    "Trailer: Docker-Content-Digest",
    "Set-Cookie: session=stolen",
    "Content-Encoding: gzip",
    "Location: http://[::1/",
    "Location: //evil.example.com/",
    "Location: javascript:alert(1)",
    "Location: /v2/\u00e9\u0000",
    "Folded: a",
    " folded: b",
    "no colon",
    ": no name",
    "bad name: a",
    "NUL: a\u0000b",
    "CR: a\rb",
    "LF: a\nSet-Cookie: b=c",
    `Huge: ${"x".repeat(40_000)}`,
    ...Array.from({ length: 1 }, () => "Many: 1\r\nMany: 1".repeat(600)),
  ),
  fc
    .tuple(fc.constantFrom(...headerNames), fc.constantFrom(...spaces, ...strangers))
    .map(([name, stranger]) => `${name}: a${stranger}b`),
);

const strangeHead = fc
  .tuple(
    properResponse,
    fc.array(oddLine, { minLength: 1, maxLength: 3 }),
    fc.constantFrom("\r\n", "\r\n", "\r\n", "\r\n", "\n", "\r", "\r\r\n"),
    fc.boolean(),
  )
  .map(([response, lines, lineEnd, replace]): ResponseSpec => {
    const [status = "", ...rest] = response.head;
    const kept = replace ? [] : rest;
    return { ...response, head: [status, ...lines, ...kept], lineEnd, quality: "odd" };
  });

const strangeBody = fc
  .tuple(
    fc.constantFrom(1, 50),
    fc.constantFrom(
      "0\r\nDocker-Content-Digest: {m}\r\n\r\n",
      "0\n\n",
      "0\r\nbad trailer\r\n\r\n",
      "zz\r\n",
      "-5\r\n\r\n",
      "5\r\n",
      "fffffffffffffffff\r\n",
      `0\r\n${"X: y\r\n".repeat(5000)}\r\n`,
      "0;\u0000\r\n\r\n",
    ),
    fc.constantFrom<ResponseSpec["ending"]>("close", "reset", "keep"),
  )
  .map(
    ([marks, last, ending]): ResponseSpec => ({
      ...plainly,
      head: ["HTTP/1.1 200 OK", type, coding],
      body: { coding: "chunked", marks, last },
      ending,
      quality: "odd",
    }),
  );

/** The connection is not what the head says of it. */
const lyingConnection = fc
  .tuple(
    properResponse,
    fc.constantFrom("Connection: keep-alive", "Connection: close", "Connection: Close, x"),
    fc.constantFrom<ResponseSpec["ending"]>("keep", "close", "reset"),
  )
  .filter(([response]) => response.ending === "keep")
  .map(
    ([response, line, ending]): ResponseSpec => ({
      ...response,
      head: [...response.head, line],
      ending,
      // A reset may take with it what the gate has not read yet.
      quality: ending === "reset" ? "odd" : response.quality,
    }),
  );

const floods = fc
  .tuple(
    properResponse,
    fc.constantFrom(
      "HTTP/1.1 100 Continue\r\n\r\n",
      "HTTP/1.1 103 Early Hints\r\n\r\n",
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
      "HTTP/1.1 199 \r\nContent-Length: 5\r\n\r\n",
    ),
    fc.constantFrom(1, 3, 8, 9, 2000),
  )
  .map(
    ([response, interim, count]): ResponseSpec => ({
      ...response,
      interim: Array.from({ length: count }, () => interim),
      quality: "odd",
    }),
  );

/** Bytes that are no response. */
const noise = fc
  .constantFrom(
    "\u0016\u0003\u0001\u0002\u0000",
    "\r\n\r\n\r\n",
    "\u0000",
    "GET / HTTP/1.1",
    "HTTP/1.1",
    "",
    "x".repeat(100_000),
  )
  .map((line): ResponseSpec => ({ ...plainly, head: [line], body: none, ending: "close", quality: "odd" }));

/** Responses of a registry that does whatever it likes. */
export const hostileResponse: fc.Arbitrary<ResponseSpec> = fc.oneof(
  { weight: 3, arbitrary: timed },
  { weight: 1, arbitrary: fc.constant(neverResponded) },
  { weight: 4, arbitrary: followed },
  { weight: 4, arbitrary: cutShort },
  { weight: 2, arbitrary: shortBody },
  { weight: 4, arbitrary: strangeStatus },
  { weight: 4, arbitrary: strangeHead },
  { weight: 2, arbitrary: strangeBody },
  { weight: 2, arbitrary: lyingConnection },
  { weight: 1, arbitrary: floods },
  { weight: 1, arbitrary: noise },
);
