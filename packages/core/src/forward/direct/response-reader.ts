import { framingOf } from "./body-framing.ts";
import { type ChunkedBody, chunkedBody } from "./chunked-body.ts";
import { MalformedResponseError, type ParsedHead, parseHead } from "./response-head.ts";

/** Takes the parts of a response as they are understood. */
export interface ReaderSink {
  /** The head of the final response. */
  head(head: ParsedHead): void;
  /** A chunk of the body: a view of what was read, never empty. */
  body(chunk: Buffer): void;
}

/**
 * Reads one response from the bytes of a connection, in whatever chunks they come.
 *
 * There are no getters in it: V8 makes a hidden class of its own for each object that is written with one, and keeps
 * everything that belongs to it until the next full collection.
 */
export interface ResponseReader {
  /** @throws {MalformedResponseError} when the response cannot be understood. */
  read(bytes: Buffer): void;
  /**
   * The registry sends no more.
   *
   * @throws {MalformedResponseError} when the response is not whole.
   */
  end(): void;
  isComplete(): boolean;
  /** Of a complete response: whether the connection can be used for another one. */
  isReusable(): boolean;
}

/** Of a head, in bytes. */
const longestHead = 32_768;
/** How many responses may say that another one follows. */
const mostInterim = 8;
const endOfHead = "\r\n\r\n";
const beginning = "HTTP/1.";
const nothing = Buffer.alloc(0);

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

export function responseReader(method: "GET" | "HEAD", sink: ReaderSink): ResponseReader {
  /** What has come of a head that is not whole yet. */
  let begun: Buffer = nothing;
  let interim = 0;
  /** How much of the body is still to come; `undefined` before the head is known. */
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
    // What follows a response was not asked for, and might be taken for the next one.
    if (readBody(rest) < rest.length) reusable = false;
  }

  /** @returns what follows the head, once that is whole. */
  function readHead(bytes: Buffer): Buffer | undefined {
    const known = begun.length;
    const all = known === 0 ? bytes : Buffer.concat([begun, bytes]);
    if (!beginning.startsWith(all.toString("latin1", 0, beginning.length))) {
      throw new MalformedResponseError("the response is not one of HTTP/1");
    }
    const end = all.indexOf(endOfHead, Math.max(0, known - endOfHead.length), "latin1");
    // An empty line in bare line feeds would otherwise be waited for until the registry is taken to be silent.
    if (hasBareLineFeed(all, known, Math.min(end === -1 ? all.length : end, longestHead))) {
      throw new MalformedResponseError("a line of the head ends in a bare line feed");
    }
    if (end > longestHead || (end === -1 && all.length > longestHead)) {
      throw new MalformedResponseError("the head is too long");
    }
    if (end === -1) {
      // The bytes are the connection's, which will read into them again.
      begun = known === 0 ? Buffer.from(bytes) : all;
      return undefined;
    }
    begun = nothing;
    const head = parseHead(all.toString("latin1", 0, end));
    if (head.statusCode < 200) skipInterim(head);
    else accept(head);
    return all.subarray(end + endOfHead.length);
  }

  /** Says that the response is still to come (RFC 9110, section 15.2); nobody asked to switch protocols. */
  function skipInterim({ statusCode }: ParsedHead): void {
    if (statusCode === 101 || ++interim > mostInterim) throw new MalformedResponseError("the response does not come");
  }

  function accept(head: ParsedHead): void {
    const framing = framingOf(head, method);
    left = framing.body === "chunked" ? chunkedBody() : framing.body;
    reusable = framing.reusable;
    sink.head(head);
  }

  /** @returns where the body's part of `bytes` ends. */
  function readBody(bytes: Buffer): number {
    if (typeof left === "object") return left.read(bytes, 0, take);
    const end = typeof left === "number" ? Math.min(left, bytes.length) : bytes.length;
    if (typeof left === "number") left -= end;
    if (end > 0) sink.body(bytes.subarray(0, end));
    return end;
  }

  return {
    read,
    end() {
      if (left === "until-close") left = 0;
      if (!isComplete())
        throw new MalformedResponseError("the registry closed the connection before the response was whole");
    },
    isComplete,
    isReusable: () => reusable,
  };
}

function hasBareLineFeed(bytes: Buffer, from: number, to: number): boolean {
  for (let at = bytes.indexOf(lineFeed, from); at !== -1 && at < to; at = bytes.indexOf(lineFeed, at + 1)) {
    if (bytes[at - 1] !== carriageReturn) return true;
  }
  return false;
}
