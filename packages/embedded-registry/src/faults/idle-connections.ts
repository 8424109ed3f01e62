import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** Closes each connection of `server` that was idle for `limit()` milliseconds; undefined: none. */
export function closeIdleConnections(server: Server, limit: () => number | undefined): void {
  const timers = new WeakMap<Socket, NodeJS.Timeout>();
  const running = new WeakMap<Socket, number>();
  const rest = (socket: Socket): void => {
    const milliseconds = limit();
    if (milliseconds === undefined || socket.destroyed) return;
    timers.set(
      socket,
      setTimeout(() => socket.destroy(), milliseconds),
    );
  };
  const begin = (request: IncomingMessage, response: ServerResponse): void => {
    const { socket } = request;
    clearTimeout(timers.get(socket));
    running.set(socket, (running.get(socket) ?? 0) + 1);
    response.once("close", () => {
      const left = (running.get(socket) ?? 1) - 1;
      running.set(socket, left);
      if (left === 0) rest(socket);
    });
  };
  server.prependListener("request", begin);
  server.prependListener("checkContinue", begin);
  server.on("connection", (socket: Socket) => {
    socket.once("close", () => clearTimeout(timers.get(socket)));
  });
}
