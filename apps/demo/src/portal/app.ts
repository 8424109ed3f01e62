import { randomBytes } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AuthBackend } from "@registry-gate/auth";
import { type AccessRule, createAuthenticator, registryProxy } from "@registry-gate/core";
import { openSessions, portal } from "@registry-gate/portal";
import { memoryState } from "@registry-gate/state";
import express from "express";

/** What the app is made with. */
export interface AppOptions {
  /** Of the registry. */
  readonly upstream: string;
  /** Who can sign in, at the pages and with docker alike. */
  readonly users: AuthBackend;
  readonly access: readonly AccessRule[];
  readonly adminGroups: readonly string[];
}

/** An app that listens nowhere yet. */
export interface App {
  readonly server: Server;
  close(): Promise<void>;
}

/** An Express app with the portal's pages at `/` and the registry below `/v2/`: one login for both. */
export async function openApp({ upstream, users, access, adminGroups }: AppOptions): Promise<App> {
  const backends = [users];
  const secrets = [randomBytes(32).toString("base64url")];
  const state = memoryState();
  // Plain HTTP, on one's own machine: without TLS the cookie cannot be a secure one.
  const sessions = openSessions({ state, secrets, backends, secure: false });
  const authenticator = createAuthenticator({ backends, session: sessions.userOf, log: console });
  const registry = registryProxy({ upstream: { url: upstream }, authenticator, access, log: console });

  const app = express();
  app.disable("x-powered-by");
  app.use(sessions.handler);
  app.use("/v2", registry);
  app.use(await portal({ sessions, authenticator, registry, secrets, adminGroups, log: console }));
  const server = createServer(app);
  registry.attach(server, app);
  return {
    server,
    async close() {
      sessions.close();
      await registry.close();
      authenticator.close();
      await state.close();
    },
  };
}
