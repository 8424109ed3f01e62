import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type AuthBackend,
  type AuthRequest,
  type AuthResult,
  type Credentials,
  type Fault,
  InvalidOptionsError,
  type Peer,
} from "@registry-gate/auth";
import { onTestFinished, vi } from "vitest";

/** An empty directory that is removed after the test. */
export async function scratchDirectory(): Promise<string> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), "sso-")));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

export const until = (assertion: () => void | Promise<void>): Promise<void> =>
  vi.waitFor(assertion, { timeout: 20_000, interval: 20 });

export interface Asked {
  /** In any case; a value for a header that stands once, a list for each of its lines. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly peer?: Peer;
  readonly credentials?: Credentials;
  readonly signal?: AbortSignal;
}

/** A request as the gate hands it to a backend: only the headers that the backend has named can be read. */
function requestTo(
  backend: AuthBackend,
  { headers = {}, peer = { address: "10.1.0.7", unixSocket: false }, credentials, signal }: Asked,
): AuthRequest {
  const byName = new Map<string, readonly string[]>();
  for (const [name, value] of Object.entries(headers)) {
    byName.set(name.toLowerCase(), typeof value === "string" ? [value] : value);
  }
  return {
    credentials,
    peer,
    client: peer.address,
    header: (name) => (backend.credentialHeaders?.includes(name) ? (byName.get(name) ?? []) : []),
    signal: signal ?? new AbortController().signal,
  };
}

export function ask(backend: AuthBackend, asked: Asked): Promise<AuthResult> {
  return backend.authenticate(requestTo(backend, asked));
}

/** As the bytes of a text arrive: one character for each byte of its UTF-8. */
export function onTheWire(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** The faults with which options are refused. */
export async function faultsOf(open: () => Promise<unknown>): Promise<readonly Fault[]> {
  try {
    await open();
  } catch (error) {
    if (error instanceof InvalidOptionsError) return error.faults;
    throw error;
  }
  throw new Error("the options were accepted");
}

export function basic(username: string, password = "correct horse"): Credentials {
  return { scheme: "basic", username, password };
}
