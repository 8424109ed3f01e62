import { once } from "node:events";
import { createServer } from "node:http";
import { connect, type Socket } from "node:net";
import { listen } from "./listen.ts";

/** A proxy for TLS clients that are to take a server on the loopback interface for one elsewhere. */
export interface Tunnel {
  readonly url: string;
  /** Leads to another server from now on, on new connections. */
  redirect(server: URL): void;
  close(): Promise<void>;
}

/**
 * Starts an HTTP proxy that answers `CONNECT` (RFC 9110, section 9.3.6) for one authority, and for no other, with a
 * connection to a server on the loopback interface.
 *
 * @param authority `host:port`, as the clients write it.
 * @param server Where it is.
 */
export async function startTunnel(authority: string, server: URL): Promise<Tunnel> {
  let destination = server;
  const sockets = new Set<Socket>();
  const proxy = createServer((_request, response) => void response.writeHead(405).end());
  proxy.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  proxy.on("connect", (request, client, head) => {
    if (request.url !== authority) return void client.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
    const far = connect(Number(destination.port), destination.hostname, () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      far.write(head);
      far.pipe(client).pipe(far);
    });
    far.on("error", () => client.destroy());
    far.on("close", () => client.destroy());
    client.on("error", () => far.destroy());
    client.on("close", () => far.destroy());
  });
  const url = `http://127.0.0.1:${await listen(proxy)}`;
  return {
    url,
    redirect(other) {
      destination = other;
    },
    async close() {
      const closed = once(proxy, "close");
      proxy.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
