import { execFileSync } from "node:child_process";
import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AuthBackend, AuthRequest, AuthResult, Credentials } from "@registry-gate/auth";
import { type HtpasswdOptions, htpasswdBackend } from "@registry-gate/auth-htpasswd";
import { onTestFinished, vi } from "vitest";
import { startable } from "../../../test/programs/startable.ts";
import { type LogEntry, recordingLog } from "../../../test/support/recording-log.ts";

/** An empty directory that is removed after the test. */
export async function scratchDirectory(): Promise<string> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), "htpasswd-")));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Runs a real tool and gives its output without the last line feed. */
export function run(tool: string, args: readonly string[], input = ""): string {
  return execFileSync(startable(tool), args, { input, encoding: "utf8", stdio: ["pipe", "pipe", "pipe"] }).trimEnd();
}

export interface Opened {
  readonly backend: AuthBackend;
  readonly file: string;
  readonly groupFile: string;
  readonly directory: string;
  readonly lines: LogEntry[];
}

/** A backend over files with this content, closed after the test. */
export async function open(
  users: string | Uint8Array,
  options: Partial<HtpasswdOptions> & { readonly groups?: string } = {},
): Promise<Opened> {
  const { groups, ...rest } = options;
  const directory = await scratchDirectory();
  const file = join(directory, "users");
  const groupFile = join(directory, "groups");
  await writeFile(file, users);
  if (groups !== undefined) await writeFile(groupFile, groups);
  const { log, lines } = recordingLog();
  const backend = await htpasswdBackend(
    { file: "users", ...(groups === undefined ? {} : { groupFile: "groups" }), ...rest },
    { id: "users", baseDirectory: directory, log },
  );
  onTestFinished(() => backend.close?.());
  return { backend, file, groupFile, directory, lines };
}

export function requestWith(credentials: Credentials | undefined, signal = new AbortController().signal): AuthRequest {
  return {
    credentials,
    peer: { address: "127.0.0.1", unixSocket: false },
    client: "127.0.0.1",
    header: () => [],
    signal,
  };
}

/** Signs in with Basic credentials. */
export function signIn(
  backend: AuthBackend,
  username: string,
  password: string,
  signal?: AbortSignal,
): Promise<AuthResult> {
  return backend.authenticate(requestWith({ scheme: "basic", username, password }, signal));
}

export const until = (assertion: () => void | Promise<void>): Promise<void> =>
  vi.waitFor(assertion, { timeout: 20_000, interval: 20 });

/** bcrypt at its least cost, for tests that need many. */
export function cheapEntry(username: string, password: string): string {
  return run("htpasswd", ["-niBC", "4", username], password);
}
