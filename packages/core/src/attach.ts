import type { Server as HttpServer, IncomingMessage, RequestListener } from "node:http";
import type { Server as HttpsServer } from "node:https";
import type { Logger } from "@registry-gate/auth";
import { refuseUnreadable } from "./respond/refuse-unreadable.ts";
import { serveExpectations, servesExpectations } from "./validate/expectation.ts";

const attached = new WeakSet<object>();

/**
 * Prepares a server for a registry behind its app: uploads are judged before their body is sent, whatever Node cannot
 * read is refused as the gate refuses it, and no whole request is limited in time, because an upload may last for hours.
 *
 * Doing it again changes nothing, whichever gate of the app does it.
 *
 * The server's `headersTimeout` still limits how long the head of a request may take.
 */
export function attach(server: HttpServer | HttpsServer, app: RequestListener): void {
  // A second listener would have the app called twice for one request: it would wait behind itself, with its body unread.
  if (attached.has(server)) return;
  attached.add(server);
  serveExpectations(server, app);
  refuseUnreadable(server);
  server.requestTimeout = 0;
}

/** Warns, once for each server, where {@link attach} was forgotten. */
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
