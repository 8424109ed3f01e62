import {
  type AuthBackend,
  type AuthResult,
  type BackendContext,
  BackendUnavailableError,
  type DiagnosisStep,
  type Identity,
} from "@registry-gate/auth";
import { type BackendFixture, basicAsk, bearerAsk } from "../src/index.ts";

const users: ReadonlyMap<string, { readonly password: string; readonly groups: readonly string[] }> = new Map([
  ["alice", { password: "alice's secret", groups: ["pushers", "readers"] }],
  ["bob", { password: "bob's secret", groups: [] }],
]);

/** What stands for a directory: it can be down, and it can be silent. */
export interface Directory {
  down: boolean;
  /** How often alice's password was changed. */
  changes: number;
  silent: boolean;
}

/** A backend that keeps every promise. */
export function honestBackend({ id }: BackendContext, directory: Directory): AuthBackend {
  async function lookUp(signal: AbortSignal): Promise<typeof users> {
    await new Promise<void>((resolve, reject) => {
      const giveUp = (): void => reject(new BackendUnavailableError(id, "nobody waits for the answer"));
      if (signal.aborted) giveUp();
      signal.addEventListener("abort", giveUp, { once: true });
      if (!directory.silent) setImmediate(resolve);
    });
    if (directory.down) throw new BackendUnavailableError(id, "the directory is down");
    return users;
  }

  const identityOf = (username: string, groups: readonly string[]): Identity => ({
    ...{ subject: username, username, groups, backend: id },
    revision: `password-${username}-${directory.changes}`,
  });

  return {
    id,
    async authenticate({ credentials, signal }): Promise<AuthResult> {
      if (credentials?.scheme !== "basic") return { status: "abstained" };
      const { username, password } = credentials;
      const user = (await lookUp(signal)).get(username);
      if (user === undefined) return { status: "abstained" };
      if (password !== user.password) return { status: "rejected", reason: "wrong password" };
      return { status: "authenticated", identity: identityOf(username, user.groups) };
    },
    async lookup(subject, signal) {
      const user = (await lookUp(signal)).get(subject);
      return user && identityOf(subject, user.groups);
    },
    challenge: () => ({ scheme: "Basic", parameters: { realm: "Test" } }),
    async check(signal) {
      await lookUp(signal);
    },
    async *diagnose(login, signal) {
      const told = (details: DiagnosisStep["details"], outcome: "ok" | "failed", about: "backend" | "login") =>
        ({ step: "login", target: "the directory", outcome, about, milliseconds: 0, details }) as const;
      try {
        const user = (await lookUp(signal)).get(login?.username ?? "");
        const good = login?.password !== undefined && user?.password === login.password;
        if (login === undefined) yield told({}, "ok", "backend");
        else yield good ? told({}, "ok", "login") : told({ reason: "wrong password" }, "failed", "login");
      } catch (error) {
        yield told({ reason: String(error) }, "failed", "backend");
      }
    },
    async close() {},
  };
}

/** The fixture of the honest backend, or of one that was made of it. */
export function fixtureOf(spoil: (backend: AuthBackend, context: BackendContext) => AuthBackend): BackendFixture {
  const directories = new WeakMap<AuthBackend, Directory>();
  const set = async (backend: AuthBackend, change: Partial<Directory>): Promise<() => Promise<void>> => {
    const directory = directories.get(backend);
    if (directory === undefined) throw new TypeError("a backend of another fixture");
    Object.assign(directory, change);
    return async () => void Object.assign(directory, { down: false, silent: false, changes: 0 });
  };
  return {
    async open(context) {
      const directory: Directory = { down: false, silent: false, changes: 0 };
      const backend = spoil(honestBackend(context, directory), context);
      directories.set(backend, directory);
      return backend;
    },
    users: [
      { ask: basicAsk("alice", "alice's secret"), username: "alice", groups: ["pushers", "readers"] },
      { ask: basicAsk("bob", "bob's secret"), username: "bob", groups: [] },
    ],
    wrong: [basicAsk("alice", "bob's secret")],
    unknown: [basicAsk("stranger", "stranger's secret")],
    foreign: [bearerAsk("token")],
    secrets: ["alice's secret", "bob's secret", "stranger's secret"],
    outage: (backend) => set(backend, { down: true }),
    changePassword: (backend) => set(backend, { changes: 1 }),
    silence: (backend) => set(backend, { silent: true }),
  };
}
