import { type AuthBackend, type Fault, formatFault, type Identity, InvalidOptionsError } from "@registry-gate/auth";
import { silentLog } from "@registry-gate/auth-kit";
import type { LoadedConfiguration } from "../config/load.ts";
import type { BackendConfiguration } from "../config/sections/auth.ts";
import { lookUp } from "../diagnosis/look-up-user.ts";
import { openBackend } from "../gate/open-backend.ts";

/** The result of looking a user up in all backends. */
export interface FoundUser {
  /** Of the first backend that knows the user. */
  readonly identity: Identity | undefined;
  /** Whether a backend that was not asked may know the user. */
  readonly incomplete: boolean;
  /** Notes for the user of the command, a line each. */
  readonly notes: readonly string[];
  /** Why a backend could not look the user up, a line each. */
  readonly failures: readonly string[];
}

/**
 * Looks a user up in each backend in turn, as a login would: in files and, with `connect`, in directories. Does not sign
 * in.
 */
export async function findUser(
  username: string,
  { configuration, directory, placeholders }: LoadedConfiguration,
  connect: boolean,
): Promise<FoundUser> {
  const notes: string[] = [];
  const failures: string[] = [];
  let unread = false;
  let incomplete = false;
  for (const [index, backend] of configuration.auth.backends.entries()) {
    const place = `auth.backends[${index}]`;
    const { type, id = type } = backend;
    // Its users are those of the others, or robots, whose groups each token has for itself.
    if (type === "access-token") continue;
    let opened: AuthBackend | undefined;
    try {
      opened = await openBackend(backend, { index, id, directory, placeholders, log: silentLog, warn: () => {} });
      const finding = await lookUp(opened, username, connect);
      const { identity } = finding;
      if (identity !== undefined) return { identity, incomplete: false, notes: [], failures: [] };
      if (finding.failure !== undefined) failures.push(`${place}: ${finding.failure}`);
      if (finding.note !== undefined) notes.push(`${place} (${type}) ${finding.note}`);
      incomplete ||= finding.unknown === true;
    } catch (error) {
      if (!(error instanceof InvalidOptionsError)) throw error;
      unread = true;
      if (!mayKnowGroups(backend)) continue;
      incomplete = true;
      notes.push(...error.faults.map((fault) => unreadable(fault, username)));
    } finally {
      await opened?.close?.();
    }
  }
  if (notes.length === 0 && failures.length === 0 && !unread) notes.push(`no backend knows ${username}`);
  return { identity: undefined, incomplete, notes, failures };
}

function mayKnowGroups({ type, groupFile }: BackendConfiguration): boolean {
  return type !== "htpasswd" || groupFile !== undefined;
}

function unreadable(fault: Fault, username: string): string {
  return `${formatFault(fault)}; ${username} could not be looked up there`;
}
