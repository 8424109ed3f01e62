import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { type Element, readElement, readNumber } from "../src/protocol/ber.ts";
import { createMessageReader, type Message } from "../src/protocol/message-reader.ts";
import { bindResponse } from "./ber-message.ts";

/** What a client asks. */
export interface FakeRequest {
  readonly id: number;
  readonly kind: "bind" | "search";
  /** The DN of a bind, or the base of a search. */
  readonly dn: string;
  readonly scope: "base" | "one" | "sub" | undefined;
  readonly attributes: readonly string[];
  /** The whole request. */
  readonly bytes: Buffer;
}

/** The bytes of a response, chunk by chunk. It may be endless: it is read only as fast as the client takes it. */
export type FakeResponse = Iterable<Buffer> | AsyncIterable<Buffer>;

/** A server that says whatever it is told to, byte by byte, to find out what a client makes of it. */
export interface FakeDirectory {
  readonly url: string;
  readonly requests: readonly FakeRequest[];
  /** How many bytes have been handed to the connections. */
  written(): number;
  /** How many connections are open. */
  open(): number;
  close(): Promise<void>;
}

/** @param respond Not asked about binds that it leaves out: they succeed. */
export async function startFakeDirectory(
  respond: (request: FakeRequest) => FakeResponse | undefined,
): Promise<FakeDirectory> {
  const requests: FakeRequest[] = [];
  const sockets = new Set<Socket>();
  let written = 0;

  async function send(socket: Socket, response: FakeResponse): Promise<void> {
    for await (const chunk of response) {
      if (socket.destroyed) return;
      written += chunk.length;
      if (!socket.write(chunk)) await Promise.race([once(socket, "drain"), once(socket, "close")]);
      // Others have their turn, and so has the end of the connection.
      await new Promise(setImmediate);
    }
  }

  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    const reader = createMessageReader();
    socket.on("data", (chunk: Buffer) => {
      for (const message of reader.read(chunk)) {
        const request = readRequest(message);
        if (request === undefined) return void socket.end();
        requests.push(request);
        const response = respond(request) ?? (request.kind === "bind" ? [bindResponse(request.id)] : []);
        // A connection that has been torn down is what the tests are about.
        send(socket, response).catch(() => socket.destroy());
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("not listening on a port");
  return {
    url: `ldap://127.0.0.1:${address.port}`,
    requests,
    written: () => written,
    open: () => sockets.size,
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** @returns `undefined` for an unbind. */
function readRequest({ id, bytes, operation }: Message): FakeRequest | undefined {
  const parts: Element[] = [];
  for (let offset = operation.start; offset < operation.end; ) {
    const part = readElement(bytes, offset, operation.end);
    if (part === undefined) throw new RangeError("the request is malformed");
    parts.push(part);
    offset = part.end;
  }
  const text = (part: Element | undefined): string => bytes.toString("utf8", part?.start, part?.end);
  if (operation.tag === 0x60) return { id, kind: "bind", dn: text(parts[1]), scope: undefined, attributes: [], bytes };
  if (operation.tag !== 0x63) return undefined;
  const [base, scope] = parts;
  const list = parts.at(-1);
  const attributes: string[] = [];
  for (let offset = list?.start ?? 0; offset < (list?.end ?? 0); ) {
    const attribute = readElement(bytes, offset, list?.end ?? 0);
    if (attribute === undefined) throw new RangeError("the request is malformed");
    attributes.push(text(attribute));
    offset = attribute.end;
  }
  const number = scope === undefined ? undefined : readNumber(bytes, scope);
  return {
    id,
    kind: "search",
    dn: text(base),
    scope: (["base", "one", "sub"] as const)[number ?? 0],
    attributes,
    bytes,
  };
}
