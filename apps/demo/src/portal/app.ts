import { randomBytes } from "node:crypto";
import { createServer, type Server } from "node:http";
import { accessTokenBackend, createAccessTokens } from "@registry-gate/access-tokens";
import type { AuthBackend } from "@registry-gate/auth";
import { type AccessRule, createAuthenticator, registryProxy } from "@registry-gate/core";
import { openActivity, openSessions, portal } from "@registry-gate/portal";
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
  const secrets = [randomBytes(32).toString("base64url")];
  const state = memoryState();
  // Asked first: it knows its tokens by how they begin.
  const tokens = accessTokenBackend({}, { state, sibling: (id) => (id === users.id ? users : undefined) });
  const backends = [tokens, users];
  // Plain HTTP, on one's own machine: without TLS the cookie cannot be a secure one.
  const sessions = openSessions({ state, secrets, backends, secure: false });
  const authenticator = createAuthenticator({ backends, session: sessions.userOf, log: console });
  const activity = openActivity({ state, log: console });
  const registry = registryProxy({
    ...{ upstream: { url: upstream }, authenticator, access, log: console },
    onFinished: activity.finished,
  });

  const app = express();
  app.disable("x-powered-by");
  app.use(sessions.handler);
  app.use("/v2", registry);
  const sources = { activity, access, accessTokens: createAccessTokens({ state, backends }) };
  app.use(await portal({ sessions, authenticator, registry, secrets, adminGroups, sources, log: console }));
  const server = createServer(app);
  registry.attach(server, app);
  return {
    server,
    async close() {
      sessions.close();
      await activity.close();
      await registry.close();
      authenticator.close();
      await tokens.close?.();
      await state.close();
    },
  };
}
