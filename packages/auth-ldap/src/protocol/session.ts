import type { Socket } from "node:net";
import { aborted, DirectoryFault, describeCause } from "../faults.ts";
import { type BindResult, type LdapResult, readBindResult, readEntry, readResult, TAGS } from "./answers.ts";
import type { Entry } from "./entry.ts";
import { createMessageReader, type Message } from "./message-reader.ts";
import { encodeBind, encodeSearch, type SearchQuery } from "./requests.ts";

export interface SearchResult extends LdapResult {
  readonly entries: readonly Entry[];
}

/**
 * One connection that is ready for LDAP. It never connects again: when it has ended, it has ended. One operation at a
 * time, which alone keeps the process alive.
 *
 * Each operation rejects with a {@link DirectoryFault} of kind `lost`, `timeout`, `protocol` or `aborted`; then the
 * connection is closed. A result code is a value.
 */
export interface Session {
  /** The URL of the server. */
  readonly server: string;
  /** Whether another operation may follow: the last answer was a clean one, and the server has said nothing unasked. */
  readonly usable: boolean;
  search(query: SearchQuery, signal: AbortSignal): Promise<SearchResult>;
  /** A simple bind as `dn`. `policy`: ask for the state of the account as well. */
  bind(dn: string, password: string, signal: AbortSignal, policy?: boolean): Promise<BindResult>;
  /** `listener` is called once, when the connection has ended by itself. */
  onEnd(listener: () => void): void;
  close(): void;
}

interface Pending {
  readonly id: number;
  readonly last: number;
  readonly between: readonly number[];
  readonly messages: Message[];
  resolve(messages: readonly Message[]): void;
  reject(fault: DirectoryFault): void;
}

/** After these, the server should be left alone: busy, unavailable, other. */
const UNCLEAN = new Set([51, 52, 80]);
const UNBIND = Buffer.from([0x30, 0x05, 0x02, 0x01, 0x00, 0x42, 0x00]);
/** Bounds what an answer may hold in memory. */
const MOST_MESSAGES = 100_000;

/** @param timeout How long an operation may take, in milliseconds. */
export function createSession(socket: Socket, server: string, timeout: number): Session {
  const reader = createMessageReader();
  let usable = true;
  let pending: Pending | undefined;
  let nextId = 1;
  let ended: (() => void) | undefined;

  function end(fault: DirectoryFault): void {
    usable = false;
    const waiting = pending;
    pending = undefined;
    socket.destroy();
    waiting?.reject(fault);
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
      if (!(error instanceof DirectoryFault)) throw error;
      end(error);
    }
  });
  socket.on("error", (error) => end(new DirectoryFault("lost", `the connection broke: ${describeCause(error)}`)));
  socket.on("end", () => end(new DirectoryFault("lost", "the server has closed the connection")));
  socket.on("close", () => end(new DirectoryFault("lost", "the connection is closed")));

  function receive(message: Message): void {
    if (message.id === 0) {
      throw new DirectoryFault("lost", "the server has announced that it closes the connection");
    }
    if (pending === undefined) throw new DirectoryFault("protocol", "the server has answered what was not asked");
    if (message.id !== pending.id) {
      throw new DirectoryFault("protocol", "the server has answered under the number of another request");
    }
    if (message.operation.tag === pending.last) {
      const { resolve, messages } = pending;
      pending = undefined;
      messages.push(message);
      resolve(messages);
      return;
    }
    if (!pending.between.includes(message.operation.tag) || pending.messages.length >= MOST_MESSAGES) {
      throw new DirectoryFault("protocol", "the server has given an answer of another kind");
    }
    pending.messages.push(message);
  }

  /** Sends a request and waits for its last answer. */
  async function exchange(
    encode: (id: number) => Buffer,
    last: number,
    between: readonly number[],
    signal: AbortSignal,
  ): Promise<readonly Message[]> {
    if (signal.aborted) throw aborted();
    if (!usable || pending !== undefined) {
      throw new DirectoryFault("lost", "the connection is closed", { transient: true });
    }
    const id = nextId;
    nextId = nextId === 0x7fffffff ? 1 : nextId + 1;
    const { promise, resolve, reject } = Promise.withResolvers<readonly Message[]>();
    pending = { id, last, between, messages: [], resolve, reject };
    const timer = setTimeout(() => end(new DirectoryFault("timeout", `no answer within ${timeout} ms`)), timeout);
    const abort = (): void => end(aborted());
    signal.addEventListener("abort", abort, { once: true });
    try {
      socket.write(encode(id));
      return await promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
    }
  }

  /** Reads what was received; a fault in it ends the connection. */
  function understand<T extends LdapResult>(read: () => T): T {
    try {
      const result = read();
      if (UNCLEAN.has(result.code)) usable = false;
      return result;
    } catch (error) {
      if (error instanceof DirectoryFault) end(error);
      throw error;
    }
  }

  return {
    server,
    get usable() {
      return usable;
    },
    async search(query, signal) {
      const seconds = Math.ceil(timeout / 1000);
      const messages = await exchange(
        (id) => encodeSearch(id, query, seconds),
        TAGS.searchDone,
        [TAGS.entry, TAGS.reference],
        signal,
      );
      return understand(() => {
        const entries = messages.filter(({ operation }) => operation.tag === TAGS.entry).map(readEntry);
        const done = messages.at(-1);
        if (done === undefined) throw new DirectoryFault("protocol", "the search has no end");
        return { ...readResult(done), entries };
      });
    },
    async bind(dn, password, signal, policy = false) {
      const [message] = await exchange((id) => encodeBind(id, dn, password, policy), TAGS.bind, [], signal);
      return understand(() => {
        if (message === undefined) throw new DirectoryFault("protocol", "the bind has no answer");
        return readBindResult(message);
      });
    },
    onEnd(listener) {
      ended = listener;
    },
    close() {
      ended = undefined;
      usable = false;
      if (pending !== undefined) end(new DirectoryFault("lost", "the connection is closed"));
      else if (!socket.destroyed) socket.end(UNBIND, () => socket.destroy());
    },
  };
}
