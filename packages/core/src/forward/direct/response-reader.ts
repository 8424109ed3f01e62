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
 * It has no getters: in an object literal V8 makes a hidden class for each, which retains everything it refers to
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
  return new Reader(sink);
}

class Reader implements ResponseReader {
  readonly #sink: ReaderSink;
  #method = "";
  /** The beginning of an incomplete head. */
  #begun: Buffer = noBytes;
  #interim = 0;
  /** The rest of the body to read; `undefined` before the head is complete. */
  #left: number | ChunkedBody | "until-close" | undefined;
  #reusable = false;

  constructor(sink: ReaderSink) {
    this.#sink = sink;
  }

  begin(method: string): void {
    this.#method = method;
    this.#begun = noBytes;
    this.#interim = 0;
    this.#left = undefined;
    this.#reusable = false;
  }

  read(bytes: Buffer): void {
    let rest = bytes;
    while (this.#left === undefined) {
      const next = this.#readHead(rest);
      if (next === undefined) return;
      rest = next;
    }
    // Bytes after the response were not requested, and could be taken for the next one.
    if (this.#readBody(rest) < rest.length) this.#reusable = false;
  }

  end(): void {
    if (this.#left === "until-close") this.#left = 0;
    if (!this.isComplete())
      throw new MalformedResponseError("the registry closed the connection before the response was complete");
  }

  isComplete(): boolean {
    const left = this.#left;
    return left === 0 || (typeof left === "object" && left.isComplete());
  }

  isReusable(): boolean {
    return this.#reusable;
  }

  /** @returns the bytes after the head, once it is complete. */
  #readHead(bytes: Buffer): Buffer | undefined {
    const known = this.#begun.length;
    const all = known === 0 ? bytes : Buffer.concat([this.#begun, bytes]);
    if (!beginsWith(all, beginning)) throw new MalformedResponseError("the response is not HTTP/1");
    const end = findEnd(all, known, longestHead + endOfHead);
    if (end === undefined) {
      if (all.length > longestHead) throw new MalformedResponseError("the head is too long");
      // The connection reuses the buffer of the bytes.
      this.#begun = known === 0 ? Buffer.from(bytes) : all;
      return undefined;
    }
    this.#begun = noBytes;
    const head = parseHead(all.toString("latin1", 0, end - endOfHead));
    if (head.statusCode < 200) this.#skipInterim(head);
    else this.#accept(head);
    return all.subarray(end);
  }

  /** An interim response (RFC 9110, section 15.2). Switching protocols was not requested. */
  #skipInterim({ statusCode }: ParsedHead): void {
    if (statusCode === 101 || ++this.#interim > mostInterim)
      throw new MalformedResponseError("too many interim responses");
  }

  #accept(head: ParsedHead): void {
    const framing = framingOf(head, this.#method);
    this.#left = framing.body === "chunked" ? chunkedBody() : framing.body;
    this.#reusable = framing.reusable;
    this.#sink.head(head);
  }

  /** @returns the end of the body in `bytes`. */
  #readBody(bytes: Buffer): number {
    const left = this.#left;
    if (typeof left === "object") return left.read(bytes, 0, (chunk) => this.#sink.body(chunk));
    const end = typeof left === "number" ? Math.min(left, bytes.length) : bytes.length;
    if (typeof left === "number") this.#left = left - end;
    if (end > 0) this.#sink.body(bytes.subarray(0, end));
    return end;
  }
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
