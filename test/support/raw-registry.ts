import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { listen } from "./listen.ts";

/** A registry that responds byte by byte as the test says, for what no HTTP library would send. */
export interface RawRegistry {
  readonly url: string;
  /** The most connections that it ever had at once. */
  mostConnections(): number;
  close(): Promise<void>;
}

/** A request as far as it is read: its body is left to the test. */
export interface RawRequest {
  readonly method: string;
  readonly target: string;
  /** With its first line, and without the empty line at its end. */
  readonly head: string;
  readonly socket: Socket;
  /** How many bytes of body have come so far. */
  bodyLength(): number;
  /** Resolves when the body has come whole; a body in chunks, when its last chunk has. */
  readonly body: Promise<void>;
}

/** @param respond Called for each request when its head has come; writes to its socket. */
export async function startRawRegistry(respond: (request: RawRequest) => void): Promise<RawRegistry> {
  const open = new Set<Socket>();
  let most = 0;
  const server = createServer({ noDelay: true }, (socket) => {
    open.add(socket);
    most = Math.max(most, open.size);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => open.delete(socket));
    serve(socket, respond);
  });
  const port = await listen(server);
  return {
    url: `http://127.0.0.1:${port}`,
    mostConnections: () => most,
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

/** The gate sends one request after the other, and its framing is in order: so much is relied on here. */
function serve(socket: Socket, respond: (request: RawRequest) => void): void {
  let text = "";
  let bodyLength = 0;
  let left: number | "chunks" | undefined;
  let complete = (): void => {};

  function read(): void {
    if (left === undefined) {
      const end = text.indexOf("\r\n\r\n");
      if (end === -1) return;
      const head = text.slice(0, end);
      text = text.slice(end + 4);
      const [method = "", target = ""] = head.split(" ");
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
      left = /\r\ntransfer-encoding: chunked/i.test(head) ? "chunks" : length;
      bodyLength = 0;
      const body = new Promise<void>((resolve) => {
        complete = resolve;
      });
      respond({ method, target, head, socket, bodyLength: () => bodyLength, body });
    }
    if (left === "chunks") {
      bodyLength += text.length;
      const whole = /(?:^|\r\n)0\r\n\r\n$/.test(text);
      text = whole ? "" : text.slice(-8);
      if (!whole) return;
    } else {
      const taken = Math.min(left, text.length);
      bodyLength += taken;
      text = text.slice(taken);
      left -= taken;
      if (left > 0) return;
    }
    left = undefined;
    complete();
    if (text !== "") read();
  }

  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
    read();
  });
}
