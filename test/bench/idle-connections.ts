import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { basic } from "../support/basic.ts";
import { userOf } from "./growing-gate.ts";

/** How many are being opened at a time. */
const atOnce = 200;

/** Connections that have had one response, and are kept. */
export async function connectIdle(url: string, count: number): Promise<{ close(): void }> {
  const sockets: Socket[] = [];
  const { hostname, port } = new URL(url);
  const open = async (): Promise<void> => {
    const socket = connect(Number(port), hostname).setNoDelay(true);
    sockets.push(socket);
    await once(socket, "connect");
    const { authorization } = basic(userOf(0), userOf(0));
    socket.write(`GET /v2/ HTTP/1.1\r\nhost: gate\r\nauthorization: ${authorization}\r\n\r\n`);
    await once(socket, "data");
    socket.on("error", () => {});
  };
  try {
    while (sockets.length < count) await Promise.all(Array.from({ length: Math.min(atOnce, count) }, open));
  } catch (error) {
    for (const socket of sockets) socket.destroy();
    throw error;
  }
  return {
    close() {
      for (const socket of sockets) socket.destroy();
    },
  };
}
