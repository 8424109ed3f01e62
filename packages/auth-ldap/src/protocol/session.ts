import type { Socket } from "node:net";
import { RESPONSE } from "../bounds.ts";
import { aborted, DirectoryError, type DirectoryErrorKind, describeCause, invalidContent } from "../directory-error.ts";
import type { Entry } from "./entry.ts";
import { createMessageReader, type Message } from "./message-reader.ts";
import { encodeBind, encodeSearch, type SearchQuery } from "./requests.ts";
import { type BindResult, type LdapResult, readBindResult, readEntry, readResult, TAGS } from "./responses.ts";

export interface SearchResult extends LdapResult {
  /** One at most where the scope is `base`, and never more than the limit of the query. */
  readonly entries: readonly Entry[];
  /** The length of the whole response. */
  readonly bytes: number;
}

/**
 * One connection that is ready for LDAP. It never connects again: when it has ended, it has ended. One operation at a
 * time, which alone keeps the process alive.
 *
 * Each operation rejects with a {@link DirectoryError} of kind `lost`, `timeout`, `protocol`, `content` or `aborted`; then
 * the connection is destroyed. A result code is a value.
 */
export interface Session {
  /** The URL of the server. */
  readonly server: string;
  /** Whether another operation may follow: the last response was clean, and nothing unsolicited has arrived. */
  readonly usable: boolean;
  search(query: SearchQuery, signal: AbortSignal): Promise<SearchResult>;
  /** A simple bind as `dn`. `policy`: ask for the state of the account as well. */
  bind(dn: string, password: string, signal: AbortSignal, policy?: boolean): Promise<BindResult>;
  /** `listener` is called once, when the connection has ended by itself. */
  onEnd(listener: () => void): void;
  /** Calling it again does nothing. */
  close(): void;
}

/** One operation that is over. */
export interface Operation {
  readonly operation: "bind" | "search";
  /** `completed`: there was a response, with whatever result code. Otherwise why there was none. */
  readonly outcome: "completed" | DirectoryErrorKind;
  /** The LDAP result code (RFC 4511, appendix A); undefined without a response. */
  readonly code: number | undefined;
  /** How many entries were found. */
  readonly entries: number;
  readonly milliseconds: number;
}

/** The messages that a response may consist of. */
interface Expected {
  /** The tag of the last message. */
  readonly last: number;
  /** The most entries before it; none where there is none, and no reference either. */
  readonly mostEntries?: number;
}

interface Response {
  readonly entries: readonly Message[];
  readonly last: Message;
  readonly bytes: number;
}

/** A request, and how its response is read. */
interface Exchange<T> {
  readonly operation: Operation["operation"];
  readonly encode: (id: number) => Buffer;
  readonly expected: Expected;
  /** @throws {DirectoryError} where the response is malformed. */
  readonly read: (response: Response) => T;
}

interface Pending {
  readonly id: number;
  readonly expected: Expected;
  readonly entries: Message[];
  messages: number;
  bytes: number;
  elements: number;
  complete(response: Response): void;
  fail(fault: DirectoryError): void;
}

/** After these, the server should be left alone: busy, unavailable, other. */
const UNCLEAN = new Set([51, 52, 80]);
const UNBIND = Buffer.from([0x30, 0x05, 0x02, 0x01, 0x00, 0x42, 0x00]);

/**
 * @param timeout How long an operation may take, in milliseconds.
 * @param observe Is given each operation that is over, as a function that makes it. Must not throw.
 */
export function createSession(
  socket: Socket,
  server: string,
  timeout: number,
  observe: (build: () => Operation) => void = () => {},
): Session {
  const reader = createMessageReader();
  let usable = true;
  let closed = false;
  let pending: Pending | undefined;
  let nextId = 1;
  let ended: (() => void) | undefined;

  function end(fault: DirectoryError): void {
    usable = false;
    const waiting = pending;
    pending = undefined;
    socket.destroy();
    waiting?.fail(fault);
    const listener = ended;
    ended = undefined;
    listener?.();
  }

  socket.setNoDelay(true);
  // An operation keeps the process alive by the timer of its own; a connection alone does not.
  socket.unref();
  socket.setTimeout(0);
  socket.on("data", (chunk: Buffer) => {
    try {
      for (const message of reader.read(chunk)) receive(message);
    } catch (error) {
      if (!(error instanceof DirectoryError)) throw error;
      end(error);
    }
  });
  socket.on("error", (error) => end(new DirectoryError("lost", `the connection broke: ${describeCause(error)}`)));
  socket.on("end", () => end(new DirectoryError("lost", "the server has closed the connection")));
  socket.on("close", () => end(new DirectoryError("lost", "the connection is closed")));

  function receive(message: Message): void {
    if (message.id === 0) {
      throw new DirectoryError("lost", "the server has announced that it closes the connection");
    }
    if (pending === undefined) throw new DirectoryError("protocol", "the server sent an unsolicited response");
    if (message.id !== pending.id) {
      throw new DirectoryError("protocol", "the response has an unexpected message ID");
    }
    const { expected, entries } = pending;
    const { tag } = message.operation;
    pending.bytes += message.bytes.length;
    pending.elements += message.elements;
    if (pending.bytes > RESPONSE.bytes) throw invalidContent(`a response is longer than ${RESPONSE.bytes} bytes`);
    if (pending.elements > RESPONSE.elements) {
      throw invalidContent(`a response holds more than ${RESPONSE.elements} elements`);
    }
    if (tag === expected.last) {
      const completed = pending;
      pending = undefined;
      completed.complete({ entries, last: message, bytes: completed.bytes });
      return;
    }
    if (expected.mostEntries === undefined || (tag !== TAGS.entry && tag !== TAGS.reference)) {
      throw new DirectoryError("protocol", "the response has an unexpected type");
    }
    if (++pending.messages > RESPONSE.messages) {
      throw invalidContent(`a response holds more than ${RESPONSE.messages} entries and references`);
    }
    // References are not followed: it is enough to have counted them.
    if (tag === TAGS.reference) return;
    if (entries.length >= expected.mostEntries) {
      throw invalidContent(`the server has sent more than the ${expected.mostEntries} entries that were asked for`);
    }
    entries.push(message);
  }

  /** Sends a request and waits for the whole response: one promise, because each login has several exchanges. */
  function exchange<T extends LdapResult & { readonly entries?: readonly Entry[] }>(
    { operation, encode, expected, read }: Exchange<T>,
    signal: AbortSignal,
  ): Promise<T> {
    const start = performance.now();
    const milliseconds = (): number => performance.now() - start;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const refuse = (error: unknown): void => {
      if (error instanceof DirectoryError) {
        const { kind, code } = error;
        observe(() => ({ operation, outcome: kind, code, entries: 0, milliseconds: milliseconds() }));
      }
      reject(error);
    };
    const obstacle = obstacleTo(signal);
    if (obstacle !== undefined) {
      refuse(obstacle);
      return promise;
    }
    const timer = setTimeout(() => end(new DirectoryError("timeout", `no response within ${timeout} ms`)), timeout);
    const abort = (): void => end(aborted());
    const settle = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
    };
    signal.addEventListener("abort", abort, { once: true });
    const id = nextId;
    nextId = nextId === 0x7fffffff ? 1 : nextId + 1;
    pending = {
      ...{ id, expected, entries: [], messages: 0, bytes: 0, elements: 0 },
      complete(response) {
        settle();
        try {
          const result = read(response);
          const { code, entries = [] } = result;
          if (UNCLEAN.has(code)) usable = false;
          observe(() => ({
            ...{ operation, outcome: "completed", code },
            ...{ entries: entries.length, milliseconds: milliseconds() },
          }));
          resolve(result);
        } catch (error) {
          // A fault in the response ends the connection.
          if (error instanceof DirectoryError) end(error);
          refuse(error);
        }
      },
      fail(fault) {
        settle();
        refuse(fault);
      },
    };
    try {
      socket.write(encode(id));
    } catch (error) {
      pending = undefined;
      settle();
      reject(error);
    }
    return promise;
  }

  function obstacleTo(signal: AbortSignal): DirectoryError | undefined {
    if (signal.aborted) return aborted();
    if (usable && pending === undefined) return undefined;
    return new DirectoryError("lost", "the connection is closed", { transient: true });
  }

  function search(query: SearchQuery, signal: AbortSignal): Promise<SearchResult> {
    const seconds = Math.ceil(timeout / 1000);
    const mostEntries = query.scope === "base" ? 1 : (query.sizeLimit ?? RESPONSE.messages);
    return exchange<SearchResult>(
      {
        operation: "search",
        encode: (id) => encodeSearch(id, query, seconds),
        expected: { last: TAGS.searchDone, mostEntries },
        read({ entries, last, bytes }) {
          const { code, diagnostic } = readResult(last);
          return { code, diagnostic, entries: entries.map(readEntry), bytes };
        },
      },
      signal,
    );
  }

  function bind(dn: string, password: string, signal: AbortSignal, policy = false): Promise<BindResult> {
    return exchange<BindResult>(
      {
        operation: "bind",
        encode: (id) => encodeBind(id, dn, password, policy),
        expected: { last: TAGS.bind },
        read: ({ last }) => readBindResult(last),
      },
      signal,
    );
  }

  return {
    server,
    get usable() {
      return usable;
    },
    search,
    bind,
    onEnd(listener) {
      ended = listener;
    },
    close() {
      if (closed) return;
      closed = true;
      ended = undefined;
      usable = false;
      if (pending !== undefined) end(new DirectoryError("lost", "the connection is closed"));
      else if (!socket.destroyed) socket.end(UNBIND, () => socket.destroy());
    },
  };
}
