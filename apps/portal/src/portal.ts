import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AuthBackend } from "@registry-gate/auth";
import {
  type AccessRule,
  createAuthenticator,
  type RegistryProxy,
  type RequestRecord,
  registryProxy,
  sendError,
} from "@registry-gate/core";
import { fromRequestUser } from "@registry-gate/passport";
import express from "express";
import { type Login, login } from "./login.ts";
import { pages } from "./pages.ts";
import { asSignedIn } from "./signed-in-user.ts";

export interface PortalOptions {
  /** The registry behind it. */
  readonly upstream: string;
  /** Whom the login page and docker clients alike are judged by. It stays the caller's to close. */
  readonly users: AuthBackend;
  readonly access: readonly AccessRule[];
  /** Default: any free one. */
  readonly port?: number;
  /** PEM texts. Plain HTTP by default, for a try on one's own machine. */
  readonly tls?: { readonly certificate: string; readonly key: string };
  readonly onRequest?: (record: RequestRecord) => void;
}

export interface Portal {
  readonly url: string;
  close(): Promise<void>;
}

/** Starts the portal on 127.0.0.1. */
export async function startPortal(options: PortalOptions): Promise<Portal> {
  const { upstream, users, access, port = 0, tls, onRequest } = options;
  // The login page and docker clients have one: what fails counts for both.
  const authenticator = createAuthenticator({
    backends: [users],
    session: fromRequestUser({ id: "portal", identity: asSignedIn }),
    log: console,
  });
  const registry = registryProxy({
    upstream: { url: upstream },
    authenticator,
    access,
    log: console,
    ...(onRequest !== undefined && { onFinished: onRequest }),
  });
  const signIn = login(users, authenticator, tls !== undefined);
  const app = portalApp(registry, signIn);
  const server =
    tls === undefined ? createServer(app) : createSecureServer({ cert: tls.certificate, key: tls.key }, app);
  registry.attach(server, app);
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `${tls === undefined ? "http" : "https"}://127.0.0.1:${portOf(server)}`,
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
      signIn.close();
      await registry.close();
      authenticator.close();
    },
  };
}

/** An error that says how it is to be answered. */
interface Failure {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The order matters: first who it is, then the registry, and only then what reads bodies. */
function portalApp(registry: RegistryProxy, signIn: Login): express.Express {
  const app = express();
  app.disable("x-powered-by");
  app.use(...signIn.whoItIs);
  app.use("/v2", scriptsAreNotChallenged, registry);
  app.use(pages(registry, signIn));
  const fail: express.ErrorRequestHandler = (error: Failure, _request, response, _next) => {
    const tooMany = error.status === 429;
    response
      .status(error.status ?? 500)
      .set(error.headers ?? {})
      .type("text")
      .send(`${tooMany ? "Too many logins have failed." : "Something went wrong."} Try again later.`);
  };
  app.use(fail);
  return app;
}

/**
 * A browser answers a Basic challenge with a window of its own, and remembers what is typed there. A script of our own
 * pages, whose session has ended, is therefore told so without one.
 */
const scriptsAreNotChallenged: express.RequestHandler = (request, response, next) => {
  const ownScript = request.headers["sec-fetch-site"] === "same-origin" && request.headers.authorization === undefined;
  if (!ownScript || request.user !== undefined) return next();
  sendError(request, response, { status: 401, code: "UNAUTHORIZED", message: "sign in again" });
};

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("not listening on a port");
  return address.port;
}
