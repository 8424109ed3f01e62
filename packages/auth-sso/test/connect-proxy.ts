import { createServer, type IncomingMessage, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { type AddressInfo, connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { onTestFinished } from "vitest";

/** A proxy as companies have them: it opens tunnels (RFC 9110, section 9.3.6), and nothing else. */
export interface ConnectProxy {
  /** `host:port` */
  readonly host: string;
  /** What tunnels were asked for, and with which login. */
  readonly asked: () => readonly { readonly target: string; readonly login: string | undefined }[];
  /** How many connections it has at the moment. */
  readonly connections: () => Promise<number>;
  /** From now on it does so: opens tunnels, refuses them with a status, or says nothing. */
  behave(how: "open" | "silent" | 403 | 407): void;
}

/** @param identity A certificate and its key, for a proxy that is itself reached over TLS. */
export async function startConnectProxy(identity?: { cert: Buffer; key: Buffer }): Promise<ConnectProxy> {
  const asked: { target: string; login: string | undefined }[] = [];
  const sockets = new Set<Duplex>();
  let behaviour: "open" | "silent" | 403 | 407 = "open";
  const server: Server = identity === undefined ? createServer() : createSecureServer(identity);
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  server.on("connect", ({ url = "", headers }: IncomingMessage, socket: Duplex) => {
    const { "proxy-authorization": authorization } = headers;
    const encoded = authorization?.replace(/^Basic /, "");
    asked.push({ target: url, login: encoded && Buffer.from(encoded, "base64").toString() });
    socket.on("error", () => {});
    if (behaviour === "silent") return void socket.resume().once("end", () => socket.end());
    if (behaviour !== "open") return void socket.end(`HTTP/1.1 ${behaviour} No\r\nContent-Length: 2\r\n\r\n{}`);
    // Whatever the name, the tests' servers are on this machine: only a proxy can reach names that do not resolve here.
    const target = connect(Number(url.split(":").at(-1)), "127.0.0.1");
    target.on("error", () => socket.destroy());
    // Otherwise a server would wait for the rest of a handshake that the client has given up, for two minutes.
    socket.on("close", () => target.destroy());
    target.on("connect", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      target.pipe(socket).pipe(target);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: () => asked,
    connections: () =>
      new Promise((resolve, reject) =>
        server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
      ),
    behave(how) {
      behaviour = how;
    },
  };
}
