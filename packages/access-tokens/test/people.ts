import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AuthBackend, SharedState } from "@registry-gate/auth";
import { htpasswdBackend } from "@registry-gate/auth-htpasswd";
import { onTestFinished } from "vitest";
import { type AccessTokenOptions, type AccessTokens, accessTokenBackend, createAccessTokens } from "../src/index.ts";
import { memoryState } from "./memory-state.ts";

const sha = "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=";

/** A password file with users, and the backend that reads it. */
export interface People {
  readonly users: AuthBackend;
  /** Writes the file anew, and waits until the backend has read it. */
  write(names: readonly string[], groups?: string): Promise<void>;
  close(): Promise<void>;
}

export async function openPeople(names: readonly string[] = ["alice", "bob"]): Promise<People> {
  const directory = await mkdtemp(join(tmpdir(), "people-"));
  const file = join(directory, "htpasswd");
  const groupFile = join(directory, "groups");
  const lines = (of: readonly string[]): string => of.map((name) => `${name}:${sha}\n`).join("");
  await writeFile(file, lines(names));
  await writeFile(groupFile, "pushers: alice\nreaders: alice bob\n");
  const users = await htpasswdBackend({ file, groupFile }, { id: "people" });
  return {
    users,
    async write(now, groups) {
      const changed = new Promise<void>((resolve) => {
        const stop = users.onChange?.(() => {
          stop?.();
          resolve();
        });
      });
      if (groups !== undefined) await writeFile(groupFile, groups);
      else await writeFile(file, lines(now));
      await changed;
    },
    async close() {
      await users.close?.();
      await rm(directory, { recursive: true });
    },
  };
}

/** Only what a lookup says; it tells nobody of changes, as a directory does not. */
export function silentUsers(users: AuthBackend): AuthBackend {
  return {
    id: users.id,
    authenticate: (request) => users.authenticate(request),
    ...(users.lookup && { lookup: users.lookup.bind(users) }),
  };
}

export const alice = { backend: "people", subject: "alice" } as const;
export const bob = { backend: "people", subject: "bob" } as const;

/** The backend, and what creates its tokens, in one process. */
export async function openTokens(
  options: AccessTokenOptions = {},
  state: SharedState = memoryState(),
  people?: AuthBackend,
): Promise<{ backend: AuthBackend; tokens: AccessTokens; state: SharedState; people: People | undefined }> {
  const opened = people === undefined ? await openPeople() : undefined;
  const users = people ?? opened?.users;
  const siblings = users === undefined ? [] : [users];
  const sibling = (id: string): AuthBackend | undefined => siblings.find((one) => one.id === id);
  const backend = accessTokenBackend(options, { id: "tokens", state, sibling });
  onTestFinished(async () => {
    await backend.close?.();
    await opened?.close();
  });
  const { recheckOwner: _, ...issuance } = options;
  return { backend, tokens: createAccessTokens({ state, backends: siblings, ...issuance }), state, people: opened };
}
