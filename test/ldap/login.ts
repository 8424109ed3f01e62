import type { AuthBackend, AuthResult, Logger } from "@registry-gate/auth";
import { type LdapOptions, ldapBackend } from "@registry-gate/auth-ldap";
import { onTestFinished } from "vitest";

/** Signs in with Basic credentials. */
export function signIn(
  backend: AuthBackend,
  username: string,
  password: string,
  signal: AbortSignal = new AbortController().signal,
): Promise<AuthResult> {
  return backend.authenticate({
    credentials: { scheme: "basic", username, password },
    peer: { address: "127.0.0.1", unixSocket: false },
    client: "127.0.0.1",
    header: () => [],
    signal,
  });
}

/** `authenticated`, the reason of a rejection, or the reason why there is no response. */
export async function outcomeOf(login: Promise<AuthResult>): Promise<string> {
  try {
    const result = await login;
    return result.status === "rejected" ? `rejected: ${result.reason}` : result.status;
  } catch (error) {
    if (error instanceof Error && error.name === "BackendUnavailableError") return `unavailable: ${error.message}`;
    throw error;
  }
}

export interface LogEntry {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** A backend that is closed after the test. */
export async function openBackend(options: LdapOptions): Promise<{ backend: AuthBackend; lines: readonly LogEntry[] }> {
  const lines: LogEntry[] = [];
  const writer =
    (level: LogEntry["level"]): Logger["warn"] =>
    (fields, message) =>
      void lines.push({ level, fields, message });
  const log = { debug: writer("debug"), info: writer("info"), warn: writer("warn"), error: writer("error") };
  const backend = await ldapBackend(options, { log });
  onTestFinished(() => backend.close?.());
  return { backend, lines };
}

/** The groups of a login that succeeds, in order. */
export async function groupsOf(backend: AuthBackend, username: string, password: string): Promise<readonly string[]> {
  const result = await signIn(backend, username, password);
  if (result.status !== "authenticated") throw new Error(`${username} is ${await outcomeOf(Promise.resolve(result))}`);
  return [...result.identity.groups].sort();
}
