import { framingOf } from "./body-framing.ts";
import { type ChunkedBody, chunkedBody } from "./chunked-body.ts";
import { MalformedResponseError, type ParsedHead, parseHead } from "./response-head.ts";

/** Receives the parsed parts of a response. */
export interface ReaderSink {
  /** The head of the final response. */
  head(head: ParsedHead): void;
  /** A chunk of the body: a view of the bytes read, never empty. */
  body(chunk: Buffer): void;
}

/**
 * Parses the responses of a connection one after the other, from bytes in chunks of any size.
 *
 * It has no getters: V8 creates a hidden class for each object literal with one, and retains everything it refers to
 * until the next full collection.
 */
export interface ResponseReader {
  /** Expects the response to a request with this method. The response before it is complete. */
  begin(method: string): void;
  /** @throws {MalformedResponseError} when the response is invalid. */
  read(bytes: Buffer): void;
  /**
   * The registry closed its side of the connection.
   *
   * @throws {MalformedResponseError} when the response is incomplete.
   */
  end(): void;
  isComplete(): boolean;
  /** Whether the connection can be reused after a complete response. */
  isReusable(): boolean;
}

/** The maximum length of a head, in bytes. */
const longestHead = 32_768;
/** The maximum number of interim responses. */
const mostInterim = 8;
const endOfHead = "\r\n\r\n".length;
const beginning = "HTTP/1.";
const noBytes = Buffer.alloc(0);

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

export function responseReader(sink: ReaderSink): ResponseReader {
  let method = "";
  /** The beginning of an incomplete head. */
  let begun: Buffer = noBytes;
  let interim = 0;
  /** The rest of the body to read; `undefined` before the head is complete. */
  let left: number | ChunkedBody | "until-close" | undefined;
  let reusable = false;

  const isComplete = (): boolean => left === 0 || (typeof left === "object" && left.isComplete());
  const take = (chunk: Buffer): void => sink.body(chunk);

  function read(bytes: Buffer): void {
    let rest = bytes;
    while (left === undefined) {
      const next = readHead(rest);
      if (next === undefined) return;
      rest = next;
    }
    // Bytes after the response were not requested, and could be taken for the next one.
    if (readBody(rest) < rest.length) reusable = false;
  }

  /** @returns the bytes after the head, once it is complete. */
  function readHead(bytes: Buffer): Buffer | undefined {
    const known = begun.length;
    const all = known === 0 ? bytes : Buffer.concat([begun, bytes]);
    if (!beginsWith(all, beginning)) throw new MalformedResponseError("the response is not HTTP/1");
    const end = findEnd(all, known, longestHead + endOfHead);
    if (end === undefined) {
      if (all.length > longestHead) throw new MalformedResponseError("the head is too long");
      // The connection reuses the buffer of the bytes.
      begun = known === 0 ? Buffer.from(bytes) : all;
      return undefined;
    }
    begun = noBytes;
    const head = parseHead(all.toString("latin1", 0, end - endOfHead));
    if (head.statusCode < 200) skipInterim(head);
    else accept(head);
    return all.subarray(end);
  }

  /** An interim response (RFC 9110, section 15.2). Switching protocols was not requested. */
  function skipInterim({ statusCode }: ParsedHead): void {
    if (statusCode === 101 || ++interim > mostInterim) throw new MalformedResponseError("too many interim responses");
  }

  function accept(head: ParsedHead): void {
    const framing = framingOf(head, method);
    left = framing.body === "chunked" ? chunkedBody() : framing.body;
    reusable = framing.reusable;
    sink.head(head);
  }

  /** @returns the end of the body in `bytes`. */
  function readBody(bytes: Buffer): number {
    if (typeof left === "object") return left.read(bytes, 0, take);
    const end = typeof left === "number" ? Math.min(left, bytes.length) : bytes.length;
    if (typeof left === "number") left -= end;
    if (end > 0) sink.body(bytes.subarray(0, end));
    return end;
  }

  return {
    begin(requested) {
      method = requested;
      begun = noBytes;
      interim = 0;
      left = undefined;
      reusable = false;
    },
    read,
    end() {
      if (left === "until-close") left = 0;
      if (!isComplete())
        throw new MalformedResponseError("the registry closed the connection before the response was complete");
    },
    isComplete,
    isReusable: () => reusable,
  };
}

/** Whether the bytes begin with the text, as far as they are here. */
function beginsWith(bytes: Buffer, text: string): boolean {
  const length = Math.min(bytes.length, text.length);
  for (let at = 0; at < length; at++) if (bytes[at] !== text.charCodeAt(at)) return false;
  return true;
}

/**
 * The end of a head, behind its empty line.
 *
 * @param from The bytes before it were looked at before.
 * @param to The bytes behind it are not looked at.
 * @throws {MalformedResponseError} for a bare line feed: otherwise the parser would wait for CR LF until a timeout.
 */
function findEnd(bytes: Buffer, from: number, to: number): number | undefined {
  const length = Math.min(bytes.length, to);
  for (let at = from; at < length; at++) {
    if (bytes[at] !== lineFeed) continue;
    if (bytes[at - 1] !== carriageReturn) {
      throw new MalformedResponseError("a line of the head ends in a bare line feed");
    }
    if (bytes[at - 2] === lineFeed) return at + 1;
  }
  return undefined;
}
