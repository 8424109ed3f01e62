import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Contender } from "./contender.ts";

/** Many clients that download one blob, in this process. */
export interface Readers {
  /** How many bytes they have got so far, with heads. */
  readonly received: number;
  close(): void;
}

export interface ReadersOptions {
  readonly path: string;
  readonly count: number;
  /** Whether they stop reading as soon as something has come. */
  readonly stalled: boolean;
}

/** How many connect at the same time. */
const together = 64;
const bufferBytes = 256 * 1024;

/** Opens the connections and asks for the blob on each. @throws where one is refused or gets another status than 200. */
export async function openReaders(contender: Contender, { path, count, stalled }: ReadersOptions): Promise<Readers> {
  const url = new URL(contender.url);
  const headers = { Host: url.host, ...contender.headers };
  const head = `GET ${path} HTTP/1.1\r\n${Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("")}\r\n`;
  // Nobody looks at what comes: it may all go to one place.
  const buffer = Buffer.alloc(bufferBytes);
  const sockets: Socket[] = [];
  let received = 0;
  let failure: Error | undefined;

  const open = async (): Promise<void> => {
    const first = Promise.withResolvers<void>();
    // It may fail before anybody waits for it.
    first.promise.catch(() => {});
    let started = false;
    const take = (bytes: number, chunk: Uint8Array): boolean => {
      received += bytes;
      if (started) return !stalled;
      started = true;
      const status = Buffer.from(chunk.subarray(0, 12)).toString("latin1");
      if (status === "HTTP/1.1 200") first.resolve();
      else first.reject(new Error(`${contender.name} responded with ${status}`));
      return !stalled;
    };
    const onread = { buffer, callback: take };
    const where = { host: url.hostname, port: Number(url.port), onread };
    const socket = url.protocol === "https:" ? connectTls({ ...where, rejectUnauthorized: false }) : connect(where);
    sockets.push(socket);
    socket.once("error", (error) => {
      failure ??= error;
      first.reject(error);
    });
    // A TLS socket takes no buffer of ours.
    if (url.protocol === "https:") {
      socket.on("data", (chunk: Buffer) => take(chunk.length, chunk) || socket.pause());
    }
    await once(socket, url.protocol === "https:" ? "secureConnect" : "connect");
    socket.write(head);
    await first.promise;
  };

  const close = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  try {
    for (let opened = 0; opened < count; opened += together) {
      await Promise.all(Array.from({ length: Math.min(together, count - opened) }, open));
    }
  } catch (error) {
    close();
    throw error;
  }
  return {
    get received() {
      if (failure !== undefined) throw failure;
      return received;
    },
    close,
  };
}
