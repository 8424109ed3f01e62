import { MalformedResponseError } from "./response-head.ts";

/** Decodes a chunked body incrementally. */
export interface ChunkedBody {
  /**
   * Decodes `bytes` from `start`. Data is passed to `take`, as views of `bytes`.
   *
   * @returns the position where it stopped: at the end of `bytes`, or after the end of the body.
   * @throws {MalformedResponseError}
   */
  read(bytes: Buffer, start: number, take: (chunk: Buffer) => void): number;
  isComplete(): boolean;
}

/** The maximum length of a size line with extensions, and of all trailers together, in bytes. */
const longestSizeLine = 4096;
const longestTrailers = 16_384;
const lineFeed = 0x0a;

/** A size of at most 13 hexadecimal digits is exact; extensions are ignored (RFC 9112, section 7.1.1). */
const sizeLine = /^([\dA-Fa-f]{1,13})(?:[\t ]*;[\t\x20-\x7e\x80-\xff]*)?\r$/;
const trailerLine = /^[!#$%&'*+\-.^_`|~\dA-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r$/;

/** Extensions and trailers are dropped (RFC 9112, section 7.1). */
export function chunkedBody(): ChunkedBody {
  let expected: "size" | "data" | "end of data" | "trailer" | "nothing" = "size";
  let left = 0;
  let trailers = 0;
  /** The beginning of an incomplete line. */
  let begun = "";

  function takeLine(line: string): void {
    if (expected === "size") {
      const size = sizeLine.exec(line)?.[1];
      if (size === undefined) throw new MalformedResponseError("the size of a chunk is malformed");
      left = Number.parseInt(size, 16);
      expected = left === 0 ? "trailer" : "data";
    } else if (expected === "end of data") {
      if (line !== "\r") throw new MalformedResponseError("a chunk is longer than its size");
      expected = "size";
    } else {
      trailers += line.length;
      if (line === "\r") expected = "nothing";
      else if (!trailerLine.test(line)) throw new MalformedResponseError("a trailer is malformed");
    }
  }

  function mostOfLine(): number {
    if (expected === "size") return longestSizeLine;
    return expected === "trailer" ? longestTrailers - trailers : 1;
  }

  return {
    read(bytes, start, take) {
      let at = start;
      while (at < bytes.length && expected !== "nothing") {
        if (expected === "data") {
          const end = Math.min(bytes.length, at + left);
          take(bytes.subarray(at, end));
          left -= end - at;
          at = end;
          if (left === 0) expected = "end of data";
          continue;
        }
        const end = bytes.indexOf(lineFeed, at);
        const stop = end === -1 ? bytes.length : end;
        if (begun.length + stop - at > mostOfLine())
          throw new MalformedResponseError("the frame of a chunk is too long");
        const line = begun + bytes.toString("latin1", at, stop);
        if (end === -1) {
          begun = line;
          return bytes.length;
        }
        begun = "";
        at = end + 1;
        takeLine(line);
      }
      return at;
    },
    isComplete: () => expected === "nothing",
  };
}
