import fc from "fast-check";
import type { BodySpec, ChunkFault, FramingSpec } from "../case/fuzz-case.ts";

const properLast = "0\r\n\r\n";
const plain = { coding: "plain", chunk: 0, fault: null, last: properLast } as const;

export const withoutBody: FramingSpec = { ...plain, lines: [], exact: true };
export const withLength: FramingSpec = { ...plain, lines: ["Content-Length: {length}"], exact: true };

const inChunks: fc.Arbitrary<FramingSpec> = fc
  .tuple(fc.constantFrom(1, 100, 8192, 65_536), fc.constantFrom(properLast, "0\r\nX-Trailer: a\r\n\r\n", "000\r\n\r\n"))
  .map(([chunk, last]) => ({
    lines: ["Transfer-Encoding: chunked"],
    coding: "chunked",
    chunk,
    fault: null,
    last,
    exact: true,
  }));

export const properFraming: fc.Arbitrary<FramingSpec> = fc.oneof(
  { weight: 1, arbitrary: fc.constant(withLength) },
  { weight: 1, arbitrary: inChunks },
);

/** Heads that name two lengths, none, or one that is not that of the body. */
const oddLines = fc.constantFrom<readonly string[]>(
  ["Content-Length: {length}", "Transfer-Encoding: chunked"],
  ["Transfer-Encoding: chunked", "Content-Length: {length}"],
  ["Transfer-Encoding: chunked", "Content-Length: 0"],
  ["Content-Length: {length}", "Content-Length: {length}"],
  ["Content-Length: {length}", "Content-Length: 0"],
  ["Content-Length: 0"],
  ["Content-Length: 3"],
  ["Content-Length: 100000"],
  ["Content-Length: {length}, {length}"],
  ["Content-Length: +{length}"],
  ["Content-Length: 0{length}"],
  ["Content-Length: 0x5"],
  ["Content-Length: -5"],
  ["Content-Length: 18446744073709551621"],
  ["Content-Length: "],
  ["Content-Length : {length}"],
  ["Content-Length:\u000b{length}"],
  ["Content-Length: {length}\u00a0"],
  [],
  ["Transfer-Encoding: Chunked"],
  ["Transfer-Encoding: xchunked"],
  ["Transfer-Encoding: \u000bchunked"],
  ["Transfer-Encoding: \u00a0chunked"],
  ["Transfer-Encoding: chun\u00e2\u0084\u00aaed"],
  ["Transfer-Encoding:\tchunked "],
  ["Transfer-Encoding: chunked, identity"],
  ["Transfer-Encoding: identity, chunked"],
  ["Transfer-Encoding: chunked, chunked"],
  ["Transfer-Encoding: gzip, chunked"],
  ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
  ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
  ["Transfer-Encoding : chunked"],
  ["Transfer-Encoding", "Content-Length: {length}"],
  ["X: y\nTransfer-Encoding: chunked"],
  [" Transfer-Encoding: chunked"],
);

const badSize = fc.constantFrom(
  "zz\r\n",
  "-1\r\n",
  "+5\r\n",
  "0x5\r\n",
  "5 \r\n",
  " 5\r\n",
  "\r\n",
  "fffffffffffffffff\r\n",
  "ffffffffffffffff\r\n",
  "5\n",
  "5\r",
  `5;${"a".repeat(20_000)}\r\n`,
  "5;a\n\r\n",
  "5\u0000\r\n",
  "GET / HTTP/1.1\r\n",
  "5\r\n",
  "1\r\n",
);

const chunkFault: fc.Arbitrary<ChunkFault> = fc
  .tuple(fc.constantFrom(0, 1, 2, 5, 37), badSize, fc.constantFrom("\r\n", "\n", "", "X\r\n"))
  .map(([at, sizeLine, dataEnd]) => ({ at, sizeLine, dataEnd }));

const badLast = fc.constantFrom(
  "",
  "0\r\n",
  "0\n\n",
  "0\r\nContent-Length: 5\r\nAuthorization: x\r\n\r\n",
  "0\r\nbad trailer\r\n\r\n",
  "0\r\n\u0000: x\r\n\r\n",
  "0\r\n\r\n0\r\n\r\n",
  `0\r\nX: ${"a".repeat(40_000)}\r\n\r\n`,
);

const brokenChunks = fc
  .tuple(fc.constantFrom(1, 100, 8192), fc.option(chunkFault, { freq: 5 }), badLast, fc.boolean())
  .map(
    ([chunk, fault, last, whole]): FramingSpec => ({
      lines: ["Transfer-Encoding: chunked"],
      coding: "chunked",
      chunk,
      fault,
      last: whole && fault !== null ? properLast : last,
      exact: false,
    }),
  );

/** Framing by which two readers may find two different ends of the body. */
export const oddFraming: fc.Arbitrary<FramingSpec> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.tuple(oddLines, fc.constantFrom("plain", "chunked"), fc.constantFrom(1, 100)).map(
      ([lines, coding, chunk]): FramingSpec => ({
        lines,
        coding,
        chunk,
        fault: null,
        last: properLast,
        exact: false,
      }),
    ),
  },
  { weight: 5, arbitrary: brokenChunks },
);

const filler = (size: number): BodySpec => ({ kind: "filler", size });

export const properBody: fc.Arbitrary<BodySpec> = fc.oneof(
  { weight: 10, arbitrary: fc.constantFrom(1, 5, 100, 4096).map(filler) },
  { weight: 3, arbitrary: fc.constantFrom(70_000, 300_000).map(filler) },
  { weight: 1, arbitrary: fc.constantFrom(0, 3_000_000).map(filler) },
);

export const anyBody: fc.Arbitrary<BodySpec> = fc.oneof(
  { weight: 4, arbitrary: properBody },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.constantFrom("form", "multipart", "request", "request"), fc.constantFrom(0, 0, 1, 300_000))
      .map(([kind, size]): BodySpec => ({ kind, size })),
  },
);
