/**
 * One case of the fuzzer: what clients send on some connections, and what the registry does with each of their requests.
 *
 * Cases are plain data, so that one can be printed, kept as JSON and replayed. A character of a text is a byte on the
 * wire. `{m}` stands for the request's marker, `{s}` for the marker of a request that nobody may see as one, and
 * `{length}` for the length of the body, in bytes.
 */
export interface FuzzCase {
  readonly connections: readonly ConnectionSpec[];
  /** By the number of the request in the case, counted over all its connections; proper where there is none. */
  readonly responses: readonly ResponseSpec[];
}

/** A client's connection. */
export interface ConnectionSpec {
  /** Milliseconds after the case has begun. */
  readonly delay: number;
  readonly requests: readonly RequestSpec[];
  /** Whether each request waits for the response to the one before. Otherwise all are sent in a row. */
  readonly serial: boolean;
  readonly schedule: Schedule;
  /** Whether responses are read, read slowly, or left in the socket. */
  readonly reading: "all" | "slow" | "none";
  /** What the client does when it has sent everything. */
  readonly ending: Ending;
  /** Milliseconds between the last byte and a `close` or `reset`. */
  readonly hold: number;
}

/** How the bytes of a connection are written. */
export interface Schedule {
  /** Bytes of one write; 0 for all at once. */
  readonly size: number;
  /** Milliseconds between two writes. */
  readonly pause: number;
  /** How many bytes are sent before the connection ends; `null` for all. */
  readonly cut: number | null;
}

/** `wait`: for all responses. `half-close`: the sending direction is ended first. `reset`: SO_LINGER of 0. */
export type Ending = "wait" | "half-close" | "close" | "reset";

/** Whose credentials a request bears: a user with the right password, or something that logs nobody in. */
export type Login = UserName | "wrong-password" | "no-base64" | "unknown-scheme";
export type UserName = "alice" | "bobby" | "carol" | "mally";

export interface RequestSpec {
  /** None: anonymous. Several: duplicates of `Authorization`. */
  readonly logins: readonly Login[];
  readonly method: string;
  readonly target: string;
  readonly version: string;
  /** After `Host` and `Authorization`. */
  readonly headers: readonly HeaderLine[];
  readonly host: string | null;
  /** Between the lines of the head. */
  readonly lineEnd: string;
  readonly framing: FramingSpec;
  readonly body: BodySpec;
  /** Whether a well-behaved client could have sent it, so that it must be served as it stands. */
  readonly proper: boolean;
}

export type HeaderLine = readonly [name: string, value: string];

export interface FramingSpec {
  /** Such as `Content-Length: {length}`. */
  readonly lines: readonly string[];
  readonly coding: "plain" | "chunked";
  /** Bytes of body in a chunk. */
  readonly chunk: number;
  readonly fault: ChunkFault | null;
  /** What stands for the last chunk and the trailers. */
  readonly last: string;
  /** Whether there is but one way to tell where the body ends, and it ends there. */
  readonly exact: boolean;
}

/** A chunk that is not one. */
export interface ChunkFault {
  /** The number of the chunk. */
  readonly at: number;
  /** In place of its size. */
  readonly sizeLine: string;
  /** In place of the CR LF after its data. */
  readonly dataEnd: string;
}

export interface BodySpec {
  /** `form` and `multipart` ask for a mount of another user's blob; `request` is a whole request. */
  readonly kind: "filler" | "form" | "multipart" | "request";
  /** Bytes of filler. */
  readonly size: number;
}

/** What the registry does with a request. */
export interface ResponseSpec {
  /** `head`: responds before the body is read. `never`: takes the request and stays silent. */
  readonly when: "head" | "body" | "never";
  /** Milliseconds before it responds. */
  readonly wait: number;
  /** Whole heads, each with its empty line. */
  readonly interim: readonly string[];
  /** The status line and the headers. */
  readonly head: readonly string[];
  readonly lineEnd: string;
  readonly body: ResponseBodySpec;
  /** What follows a response that is complete. */
  readonly tail: TailSpec | null;
  /** How many bytes of the response are sent before the connection ends; `null` for all. */
  readonly cut: number | null;
  /** Bytes of one write; 0 for all at once. */
  readonly size: number;
  readonly ending: "keep" | "close" | "reset";
  /** `good`: must arrive exactly. `broken`: must not arrive as if it were whole. `odd`: either, or an error. */
  readonly quality: "good" | "broken" | "odd";
}

export interface ResponseBodySpec {
  /** `none`: the response has no body by its status, whatever the method. */
  readonly coding: "plain" | "chunked" | "none";
  /** How many times the mark of the content is in it; a mark is of a fixed length. */
  readonly marks: number;
  /** In place of the last chunk and its trailers. */
  readonly last: string;
}

export interface TailSpec {
  /** `body`: some bytes. `response`: what could be the response to a later request. */
  readonly kind: "body" | "response";
  /** Milliseconds after the response; 0: in the same write. */
  readonly wait: number;
}
