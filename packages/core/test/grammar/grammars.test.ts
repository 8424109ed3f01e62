import { describe, expect, test } from "vitest";
import { authority } from "../../src/grammar/authority.ts";
import { blobContentType, contentType } from "../../src/grammar/content-type.ts";
import type { Grammar } from "../../src/grammar/grammar.ts";
import { isArtifactType } from "../../src/grammar/media-type.ts";
import { entityTags, httpDate, ifRange } from "../../src/grammar/precondition.ts";
import { chunkRange, range } from "../../src/grammar/range.ts";
import { requestId, userAgent } from "../../src/grammar/sender.ts";
import { traceparent, tracestate } from "../../src/grammar/trace-context.ts";
import { accept, acceptEncoding } from "../../src/grammar/weighted-list.ts";

interface Example {
  readonly header: string;
  readonly grammar: Grammar;
  /** Value, and what is written where it is not the same. */
  readonly read: readonly (readonly [value: string, written?: string])[];
  readonly unread: readonly string[];
}

const octets = "application/octet-stream";
const manifest = "application/vnd.oci.image.manifest.v1+json";
const date = "Sun, 06 Nov 1994 08:49:37 GMT";
const trace = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const digest = `sha256:${"0f".repeat(32)}`;
/** Everything that Go, Java, Python or JavaScript take away from the ends of a text, as Latin-1 and as UTF-8. */
const whiteSpace = ["\u000b", "\u000c", "\u0085", "\u00a0", "\u00c2\u00a0", "\u00e2\u0080\u0083", "\u2003", "\ufeff"];

const odd = (value: string): string[] => whiteSpace.flatMap((space) => [space + value, value + space]);

const examples: readonly Example[] = [
  {
    header: "the Content-Type of a blob",
    grammar: blobContentType,
    read: [
      [octets],
      ["Application/Octet-Stream", octets],
      [`${octets}; charset=binary`, octets],
      // What fetch, axios and a Go program say of a body where nobody tells them.
      ["text/plain;charset=UTF-8", octets],
      ["application/json", octets],
      ["application/vnd.docker.image.rootfs.diff.tar.gzip", octets],
      [`x-y/z;;; a="b; \\" c" ;`, octets],
    ],
    unread: [
      "",
      "application",
      "application/",
      "/x",
      "*/*",
      "application/*",
      "application/octet-stream, text/plain",
      "application/octet-stream;a",
      "application/octet-stream; a = b",
      'application/octet-stream; a="b',
      "application/x-www-form-urlencoded",
      "APPLICATION/X-WWW-FORM-URLENCODED; charset=utf-8",
      "application/x-www-form-urlencoded;",
      "multipart/form-data; boundary=x",
      "multipart/mixed",
      "appl\u0130cation/x-www-form-urlencoded",
      `a/b; c="${"d".repeat(512)}"`,
      ...odd("application/x-www-form-urlencoded"),
      ...odd(octets),
    ],
  },
  {
    header: "the Content-Type of a manifest",
    grammar: contentType,
    read: [
      [manifest],
      ["application/vnd.docker.distribution.manifest.v1+prettyjws"],
      ["application/x-unknown"],
      ["text/plain;charset=UTF-8", "text/plain"],
      [manifest.toUpperCase(), manifest],
      [`${manifest}; charset=utf-8`, manifest],
      [`${manifest}\t; charset="utf-8"; x=y;`, manifest],
    ],
    unread: [
      "",
      "text",
      "application/x-www-form-urlencoded",
      "application/X-WWW-form-urlencoded;a=b",
      "multipart/form-data; boundary=x",
      `${manifest}, ${manifest}`,
      `${manifest} x`,
      `application/${"x".repeat(128)}`,
      ...odd("application/x-www-form-urlencoded"),
      ...odd(manifest),
    ],
  },
  {
    header: "Accept",
    grammar: accept,
    read: [
      ["*/*"],
      ["*", "*/*"],
      ["a/b, c/d"],
      ["a/b,c/d", "a/b, c/d"],
      [" ,, a/b ,\t, c/*,", "a/b, c/*"],
      ["A/B;Q=0.5 ; x=Y", "a/b;q=0.5;x=Y"],
      ['a/b;v="1"', "a/b;v=1"],
      ["a/b;", "a/b"],
      ["text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", "text/html, image/gif, image/jpeg, */*;q=.2, */*;q=.2"],
      [`${manifest}, application/vnd.docker.distribution.manifest.v1+prettyjws, application/json`],
    ],
    unread: [
      "",
      ",",
      "a",
      "a/",
      "/b",
      "a/b/c",
      "*/b",
      "**/*",
      "a*/b",
      "a/*b",
      "a/b c/d",
      "a/b;q",
      "a/b;q=",
      'a/b;x="c, d/e"',
      'a/b;x="',
      "a/b; q = 1",
      `a/${"b".repeat(4095)}`,
      ...odd("a/b"),
    ],
  },
  {
    header: "Accept-Encoding",
    grammar: acceptEncoding,
    read: [
      ["gzip"],
      ["GZIP, br", "gzip, br"],
      ["zstd;q=1.0, gzip;q=0.8, deflate;q=0.5"],
      ["*;q=0"],
      ["identity,gzip ;q=0.5", "identity, gzip;q=0.5"],
    ],
    unread: ["", "gzip/x", "gzip br", 'gzip;q="a b"', ...odd("gzip")],
  },
  {
    header: "Range",
    grammar: range,
    read: [
      ["bytes=0-1"],
      ["bytes=5-"],
      ["bytes=-5"],
      ["bytes=0-0,50-59"],
      ["BYTES= 00-01 ,\t, 5- ,", "bytes=0-1,5-"],
      ["lines=1-2"],
      ["bytes=500-0"],
      ["bytes=0-999999999999999"],
    ],
    unread: [
      "",
      "bytes",
      "bytes=",
      "bytes=-",
      "bytes=5",
      "bytes=a-b",
      "bytes=0 - 1",
      "bytes =0-1",
      "bytes=0-1000000000000000",
      "bytes=0-1;x",
      "bytes=+0-1",
      "bytes=0-1, bytes=2-3",
      "bytes=\u0661-\u0662",
      `bytes=${"0-0,".repeat(1100)}0-0`,
      ...odd("bytes=0-1"),
    ],
  },
  {
    header: "Content-Range",
    grammar: chunkRange,
    read: [
      ["0-4"],
      ["5-5"],
      ["00-04", "0-4"],
      ["bytes 0-4/5", "0-4"],
      ["Bytes 0-4/*", "0-4"],
      ["bytes=0-4", "0-4"],
      ["0-4/5", "0-4"],
    ],
    unread: [
      "",
      "0",
      "0-",
      "-4",
      "4-0",
      "0--1",
      "bytes */5",
      "0-4, 0-4",
      "0 - 4",
      "0x0-4",
      "0-4/",
      "lines 0-4/5",
      ...odd("0-4"),
    ],
  },
  {
    header: "If-Match and If-None-Match",
    grammar: entityTags,
    read: [["*"], [`"${digest}"`], ['W/"a"'], ['""'], ['"a,b" ,\t"c"', '"a,b", "c"'], ['"a",,"b",', '"a", "b"']],
    unread: ["", digest, '"a', 'a"', '*, "a"', 'w/"a"', '"a" "b"', '"a b"', '"\u00e9"', '"a"x', ...odd('"a"')],
  },
  {
    header: "If-Modified-Since and If-Unmodified-Since",
    grammar: httpDate,
    read: [[date]],
    unread: [
      "",
      "Sunday, 06-Nov-94 08:49:37 GMT",
      "Sun Nov  6 08:49:37 1994",
      "Mon, 06 Nov 1994 08:49:37 GMT",
      "Sun, 31 Feb 1994 08:49:37 GMT",
      "Sun, 06 Nov 1994 08:49:37 UTC",
      "sun, 06 nov 1994 08:49:37 gmt",
      "Sun, 06 Nov 1994 08:49:61 GMT",
      "x".repeat(29),
      ...odd(date),
    ],
  },
  {
    header: "If-Range",
    grammar: ifRange,
    read: [[date], [`"${digest}"`], ['W/"a"']],
    unread: ["", '"a", "b"', "*", "a", `"${"a".repeat(511)}"`, ...odd('"a"')],
  },
  {
    header: "traceparent",
    grammar: traceparent,
    read: [[`00-${trace}`]],
    unread: [
      "",
      `01-${trace}`,
      `ff-${trace}`,
      `00-${trace.toUpperCase()}`,
      `00-${trace}-x`,
      `00-${"0".repeat(32)}-b7ad6b7169203331-01`,
      `00-0af7651916cd43dd8448eb211c80319c-${"0".repeat(16)}-01`,
      ...odd(`00-${trace}`),
    ],
  },
  {
    header: "tracestate",
    grammar: tracestate,
    read: [
      ["a=b"],
      ["rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"],
      ["t1@v= a b!,,\tc=d ", "t1@v= a b!,c=d"],
      [Array.from({ length: 32 }, (_, index) => `k${index}=v`).join(",")],
    ],
    unread: [
      "",
      ",",
      "a",
      "a=",
      "=b",
      "A=b",
      "a=b=c",
      "a=b,a=c",
      "1=b",
      "a=\u00e9",
      Array.from({ length: 33 }, (_, index) => `k${index}=v`).join(","),
      `a=${"b".repeat(257)}`,
      `a=${"b".repeat(250)},c=${"d".repeat(250)},e=${"f".repeat(10)}`,
      ...odd("a=b"),
    ],
  },
  {
    header: "User-Agent",
    grammar: userAgent,
    read: [
      ["docker/20.10.24 go/go1.19.8 UpstreamClient(Docker-Client/28.2.2 \\(linux\\))"],
      ["x"],
      ["J\u00fcrgen\t\u00a0/1", "J?rgen??/1"],
      ["a".repeat(600), "a".repeat(512)],
      [`${"a".repeat(511)} b`, "a".repeat(511)],
    ],
    unread: ["", " "],
  },
  {
    header: "X-Request-Id",
    grammar: requestId,
    read: [["7"], ["0af76519-16cd-43dd-8448-eb211c80319c"], ["Root=1-67891233:a/b+c=@~._"], ["a".repeat(128)]],
    unread: ["", "a b", "a, b", "a;b", '"a"', "a".repeat(129), ...odd("7")],
  },
  {
    header: "Host",
    grammar: authority,
    read: [
      ["a"],
      ["registry.example.com:5000"],
      ["127.0.0.1"],
      ["[::1]:5000"],
      ["[2001:db8::10]"],
      ["a_b.c:1"],
      ["A.Example.COM:0080", "a.example.com:80"],
      ["[2001:DB8::1]", "[2001:db8::1]"],
      ["a:65535"],
    ],
    unread: [
      ..."a b|a/b|a@b|a:b|a:|a:65536|a:123456|[::1|[::1]x|[1.2.3.4]|[:::]|[::1%25eth0]|a\r\nb|a#b|a,b|a?b|%61|a\\b".split(
        "|",
      ),
      "",
      "\u00e9",
      "a".repeat(256),
      ...odd("a"),
    ],
  },
];

describe.each(examples)("the grammar of $header", ({ grammar, read, unread }) => {
  test.each(read.map(([value, written = value]) => [value, written] as const))("writes %j as %j", (value, written) => {
    expect(grammar(value)).toBe(written);
    // Once more, because it may be remembered.
    expect(grammar(value)).toBe(written);
    expect(grammar(written)).toBe(written);
  });

  test.each(unread)("does not read %j", (value) => {
    expect(grammar(value)).toBeUndefined();
    expect(grammar(value)).toBeUndefined();
  });
});

test("the type of an artifact is a media type without parameters, or a bare name", () => {
  for (const text of ["a/b", "application/spdx+json", "application/vnd.x.y-z_1", "sbom", `a/${"b".repeat(127)}`]) {
    expect(isArtifactType(text), text).toBe(true);
  }
  const others = ["", "a/", "/b", "a/b;c=d", "a/b/c", "*/*", "*", "a/+b", "a b/c", "\u00a0a/b", `a/${"b".repeat(128)}`];
  for (const text of others) expect(isArtifactType(text), text).toBe(false);
});
