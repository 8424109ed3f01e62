import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** A response as it came over the wire. */
export interface RawResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  /** A character is a byte. */
  readonly body: string;
}

/** A client that writes bytes as they are, and reads responses. */
export interface RawClient {
  readonly socket: Socket;
  /** A character is a byte. Where a request is HEAD, all are. */
  write(bytes: string): void;
  /** Everything that came so far, as it came. */
  text(): string;
  /** Resolves when so many responses have come whole, interim ones included, or the connection has ended. */
  responses(count: number): Promise<readonly RawResponse[]>;
  /** Resolves when the server has ended the connection. */
  ended(): Promise<void>;
}

/** @param url Its host and port are connected to. */
export async function connectRaw(url: string): Promise<RawClient> {
  const { hostname: host, port } = new URL(url);
  const socket = connect({ host, port: Number(port), allowHalfOpen: true, noDelay: true });
  let text = "";
  let over = false;
  let toHead = false;
  const watchers = new Set<() => void>();
  const look = (): void => {
    for (const watcher of watchers) watcher();
  };
  const end = (): void => {
    over = true;
    look();
  };
  socket.setEncoding("latin1").on("data", (chunk: string) => {
    text += chunk;
    look();
  });
  for (const event of ["end", "close", "error"]) socket.on(event, end);
  await once(socket, "connect");

  function until<T>(read: () => T | undefined): Promise<T> {
    return new Promise((resolve) => {
      const watcher = (): void => {
        const value = read();
        if (value === undefined) return;
        watchers.delete(watcher);
        resolve(value);
      };
      watchers.add(watcher);
      watcher();
    });
  }

  return {
    socket,
    write(bytes) {
      if (bytes.startsWith("HEAD ")) toHead = true;
      socket.write(bytes, "latin1");
    },
    text: () => text,
    responses: (count) =>
      until(() => {
        const responses = parseResponses(text, over, toHead);
        return over || responses.length >= count ? responses : undefined;
      }),
    ended: () => until(() => (over ? true : undefined)).then(() => {}),
  };
}

/** Sends some bytes on a connection of their own, and resolves with the responses to them. */
export async function exchangeRaw(url: string, bytes: string, count = 1): Promise<readonly RawResponse[]> {
  const client = await connectRaw(url);
  client.write(bytes);
  const responses = await client.responses(count);
  client.socket.destroy();
  return responses;
}

/** @param toHead Whether they are responses to HEAD, which have no body whatever their head says. */
function parseResponses(text: string, over: boolean, toHead: boolean): RawResponse[] {
  const responses: RawResponse[] = [];
  let rest = text;
  for (;;) {
    const end = rest.indexOf("\r\n\r\n");
    if (end === -1) return responses;
    const [statusLine = "", ...lines] = rest.slice(0, end).split("\r\n");
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1]);
    const headers = new Map(
      lines.map((line) => [line.replace(/:.*/, "").toLowerCase(), line.replace(/^[^:]*: ?/, "")]),
    );
    const after = rest.slice(end + 4);
    const body = toHead ? { text: "", length: 0 } : bodyOf(status, headers, after, over);
    if (body === undefined) return responses;
    responses.push({ status, headers, body: body.text });
    rest = after.slice(body.length);
  }
}

interface Body {
  readonly text: string;
  /** On the wire. */
  readonly length: number;
}

/** Undefined as long as the chunks are not there whole. */
function chunksOf(after: string): Body | undefined {
  let text = "";
  let at = 0;
  for (;;) {
    const head = /^([0-9a-f]+)\r\n/.exec(after.slice(at, at + 20));
    if (head === null) return undefined;
    const length = Number.parseInt(head[1] ?? "", 16);
    const begin = at + head[0].length;
    at = begin + length + 2;
    if (after.length < at) return undefined;
    if (length === 0) return { text, length: at };
    text += after.slice(begin, begin + length);
  }
}

/** Undefined as long as the body is not there whole. */
function bodyOf(status: number, headers: ReadonlyMap<string, string>, after: string, over: boolean): Body | undefined {
  if (status < 200 || status === 204 || status === 304) return { text: "", length: 0 };
  if (headers.get("transfer-encoding") === "chunked") return chunksOf(after);
  const length = Number(headers.get("content-length"));
  if (Number.isNaN(length)) return over ? { text: after, length: after.length } : undefined;
  return after.length < length ? undefined : { text: after.slice(0, length), length };
}
