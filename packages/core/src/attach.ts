import type { Server as HttpServer, IncomingMessage, RequestListener } from "node:http";
import type { Server as HttpsServer } from "node:https";
import type { Logger } from "@registry-gate/auth";
import { refuseUnreadable } from "./respond/refuse-unreadable.ts";
import { serveExpectations, servesExpectations } from "./validate/expectation.ts";

const attached = new WeakSet<object>();

/**
 * Prepares a server for a registry behind its app: requests are authorized before their body is sent, requests that
 * Node cannot parse get an error of the gate, and whole requests have no time limit, because an upload may last for
 * hours.
 *
 * Calling it again has no effect, also for another gate of the app.
 *
 * The server's `headersTimeout` still limits how long the head of a request may take.
 */
export function attach(server: HttpServer | HttpsServer, app: RequestListener): void {
  // A second listener would call the app twice for one request: it would wait for itself, with its body unread.
  if (attached.has(server)) return;
  attached.add(server);
  serveExpectations(server, app);
  refuseUnreadable(server);
  server.requestTimeout = 0;
}

/** Warns once for each server on which {@link attach} was not called. */
export function mountingCheck(log: Logger | undefined): (request: IncomingMessage) => void {
  const checked = new WeakSet<object>();
  return ({ socket }) => {
    const server: unknown = "server" in socket ? socket.server : undefined;
    if (typeof server !== "object" || server === null || checked.has(server)) return;
    checked.add(server);
    const limit = "requestTimeout" in server ? Number(server.requestTimeout) : 0;
    if (servesExpectations(server) && limit === 0) return;
    const cuts = limit === 0 ? "" : ` and cuts uploads that take longer than ${limit / 1000} s`;
    log?.warn({}, `registry.attach(server, app) was not called: the server asks for refused bodies${cuts}`);
  };
}
