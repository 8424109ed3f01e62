import type { Server as HttpServer, IncomingMessage, ServerResponse } from "node:http";
import type { Server as HttpsServer } from "node:https";
import type { Socket } from "node:net";
import { sendError } from "registry-gate";

/** Keeps a server to a number of connections, and tells those beyond it. */
export interface ConnectionLimit {
  limit(maxConnections: number): void;
  /** Whether a request may be handled. If not, it has been answered with 503, and its connection ends. */
  admit(request: IncomingMessage, response: ServerResponse): boolean;
}

/** Connections beyond the limit that are taken in to be told so. Those beyond these too are closed at once. */
const reserve = 256;
/** How long a client should wait before it tries again, in seconds. */
const retryAfter = "5";

/**
 * Whoever has been served on a connection keeps it: the limit turns new ones away, so that no push is cut for another.
 */
export function limitConnections(server: HttpServer | HttpsServer): ConnectionLimit {
  const served = new WeakSet<Socket>();
  let serving = 0;
  let most = Number.POSITIVE_INFINITY;

  return {
    limit(maxConnections) {
      most = maxConnections;
      server.maxConnections = maxConnections + reserve;
    },
    admit(request, response) {
      const { socket } = request;
      if (served.has(socket)) return true;
      if (serving >= most) {
        const headers = { "Retry-After": retryAfter, Connection: "close" };
        sendError(request, response, { status: 503, code: "UNAVAILABLE", message: "too many connections", headers });
        return false;
      }
      served.add(socket);
      serving++;
      socket.once("close", () => serving--);
      return true;
    },
  };
}
