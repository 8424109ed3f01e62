import { once } from "node:events";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { accessTokenBackend, createAccessTokens } from "@registry-gate/access-tokens";
import type { AuthBackend } from "@registry-gate/auth";
import { htpasswdBackend } from "@registry-gate/auth-htpasswd";
import { type AccessRule, createAuthenticator, type RequestRecord, registryProxy } from "@registry-gate/core";
import { memoryState, type StateStore } from "@registry-gate/state";
import express from "express";
import { type DockerRegistry, startDockerRegistry } from "../../../test/support/docker-registry.ts";
import { listen } from "../../../test/support/listen.ts";
import { passwordFile } from "../../../test/support/password-file.ts";
import { pushImage } from "../../../test/support/registry-content.ts";
import {
  openActivity,
  openSessions,
  type PageSources,
  type PortalOptions,
  portal,
  type SessionOptions,
  type Sessions,
  type SignInOptions,
} from "../src/index.ts";

export const passwords = { alice: "alice's canary", bob: "bob's canary" };

const access: readonly AccessRule[] = [
  { subjects: ["authenticated"], repositories: ["team/**"], actions: ["pull"] },
  { subjects: ["group:pushers"], repositories: ["team/app"], actions: ["push", "delete"] },
  { subjects: ["authenticated"], repositories: ["${username}/**"], actions: ["*"] },
];

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
export const secrets = ["a secret for the cookies of tests", "an older one, that still counts here"];

/** The users of a stage, in a password file. */
export interface Users {
  readonly backend: Awaited<ReturnType<typeof htpasswdBackend>>;
  /** Puts another password file in place, with these users alone, and waits until it is in force. */
  set(users: Readonly<Record<string, string>>): Promise<void>;
  close(): Promise<void>;
}

export async function openUsers(first: Readonly<Record<string, string>> = passwords): Promise<Users> {
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-portal-"));
  // Hashed once: another hash of the same password counts as another password.
  const lines = new Map<string, string>();
  async function fileOf(users: Readonly<Record<string, string>>): Promise<string> {
    for (const [username, password] of Object.entries(users)) {
      const key = JSON.stringify([username, password]);
      if (!lines.has(key)) lines.set(key, await passwordFile({ [username]: password }));
    }
    return Object.entries(users)
      .map((user) => lines.get(JSON.stringify(user)) ?? "")
      .join("");
  }
  await writeFile(join(directory, "htpasswd"), await fileOf(first));
  await writeFile(join(directory, "groups"), "pushers: alice\nadmins: alice\n");
  const backend = await htpasswdBackend(
    { file: "htpasswd", groupFile: "groups" },
    { id: "users", baseDirectory: directory, log: quiet },
  );
  return {
    backend,
    async set(users) {
      await writeFile(join(directory, "new"), await fileOf(users));
      const noticed = Promise.withResolvers<void>();
      const unsubscribe = backend.onChange?.(() => noticed.resolve());
      await rename(join(directory, "new"), join(directory, "htpasswd"));
      await noticed.promise;
      unsubscribe?.();
    },
    async close() {
      await backend.close?.();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export interface Setting {
  readonly users: Users;
  readonly upstream: string;
  /** Default: of this portal alone. */
  readonly state?: StateStore;
  readonly tls?: { readonly certificate: string; readonly key: string };
  readonly path?: string;
  readonly sessions?: Partial<SessionOptions>;
  readonly options?: Partial<PortalOptions>;
  /** Before those of the users. */
  readonly backends?: readonly AuthBackend[];
  /** How users sign in, with the state of the portal. Default: by the form. */
  readonly signInAt?: (state: StateStore) => SignInOptions;
  /** Default: any free one. */
  readonly port?: number;
  /** In what the pages know, beside tokens and activity. */
  readonly sources?: PageSources;
}

/** A portal on a free port of the loopback interface. */
export interface RunningPortal {
  readonly url: string;
  readonly state: StateStore;
  readonly sessions: Sessions;
  /** What became of the requests under `/v2/`. */
  readonly records: readonly RequestRecord[];
  close(): Promise<void>;
}

/** An app as a portal developer writes it. */
export async function startPortal(setting: Setting): Promise<RunningPortal> {
  const { users, upstream, tls, state = memoryState(), path = "/" } = setting;
  const trustedProxies = ["127.0.0.1"];
  const people = [...(setting.backends ?? []), users.backend];
  const tokenBackend = accessTokenBackend({}, { state, sibling: (id) => people.find((one) => one.id === id) });
  const backends = [...people, tokenBackend];
  const records: RequestRecord[] = [];
  const sessions = openSessions({ state, secrets, backends, secure: tls !== undefined, ...setting.sessions });
  const authenticator = createAuthenticator({ backends, session: sessions.userOf, trustedProxies });
  const activity = openActivity({ state });
  const registry = registryProxy({
    ...{ upstream: { url: upstream }, authenticator, access, trustedProxies },
    onFinished(record) {
      records.push(record);
      activity.finished(record);
    },
  });
  const sources: PageSources = {
    ...{ activity, access, accessTokens: createAccessTokens({ state, backends }) },
    ...setting.sources,
  };
  const app = express();
  app.disable("x-powered-by");
  app.use(sessions.handler);
  app.use("/v2", registry);
  app.use(
    path,
    await portal({
      ...{ sessions, authenticator, registry, secrets, sources, trustedProxies, adminGroups: ["admins"], log: quiet },
      ...(setting.signInAt && { signIn: setting.signInAt(state) }),
      ...setting.options,
    }),
  );
  const server =
    tls === undefined ? createServer(app) : createSecureServer({ cert: tls.certificate, key: tls.key }, app);
  registry.attach(server, app);
  const port = await listen(server, setting.port);
  return {
    ...{ state, sessions },
    url: `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`,
    records,
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
      sessions.close();
      await activity.close();
      await tokenBackend.close?.();
      await registry.close();
      authenticator.close();
      if (setting.state === undefined) await state.close();
    },
  };
}

/** A portal before a real registry that holds `team/app`, `team/lib`, `bob/tool` and `secret/app`. */
export interface Stage extends RunningPortal {
  readonly registry: DockerRegistry;
  readonly users: Users;
}

export async function setStage(more: Omit<Setting, "users" | "upstream"> = {}): Promise<Stage> {
  const users = await openUsers();
  const registry = await startDockerRegistry();
  const caller = { url: registry.url, headers: {} };
  for (const repository of ["team/app", "team/lib", "bob/tool", "secret/app"]) {
    await pushImage(caller, repository, "latest", `content of ${repository}`);
  }
  const running = await startPortal({ users, upstream: registry.url, ...more });
  return {
    ...running,
    registry,
    users,
    async close() {
      await running.close();
      await users.close();
      await registry.close();
    },
  };
}
