import { type AuthBackend, type Fault, formatFault, type Identity, InvalidOptionsError } from "@registry-gate/auth";
import { silentLog } from "@registry-gate/auth-kit";
import type { LoadedConfiguration } from "../config/load.ts";
import type { BackendConfiguration } from "../config/sections/auth.ts";
import { caseVariants, listed } from "../rules/known-names.ts";
import { openBackend } from "../server/open-backend.ts";
import { failureText } from "./step-text.ts";

/** What the backends say of a user. */
export interface FoundUser {
  /** Of the first backend that knows the user. */
  readonly identity: Identity | undefined;
  /** Whether the user may be one whom no backend was asked about. */
  readonly incomplete: boolean;
  /** What somebody should know who asked, a line each. */
  readonly notes: readonly string[];
  /** Why a backend could not say, a line each. */
  readonly failures: readonly string[];
}

/** For one backend: far above what its own time limits add up to. */
const patience = 120_000;

/**
 * Looks a user up as a login would find them, backend after backend: in files, and, with `connect`, in directories.
 * Nobody is signed in.
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
      const finding = await askBackend(opened, username, connect);
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
  return `${formatFault(fault)}, so that nothing is known of ${username} there`;
}

/** What one backend says of a user. */
export interface Finding {
  readonly identity?: Identity;
  readonly note?: string;
  /** Whether the user may be known there all the same. */
  readonly unknown?: boolean;
  readonly failure?: string;
}

/** @param connect Whether a directory may be asked. */
export async function askBackend(backend: AuthBackend, username: string, connect: boolean): Promise<Finding> {
  const roster = backend.roster?.();
  if (roster !== undefined) {
    const identity = roster.identityOf(username);
    if (identity !== undefined) return { identity };
    const variants = caseVariants(username, roster.users);
    return variants.length === 0
      ? {}
      : { note: `knows ${listed(variants)}, who differs from ${username} by case alone` };
  }
  if (backend.diagnose === undefined) {
    return { unknown: true, note: `learns the groups of ${username} from each login alone: name them by --group` };
  }
  if (!connect) {
    return { unknown: true, note: `was not asked about ${username}: add --connect, or name the groups by --group` };
  }
  for await (const step of backend.diagnose({ username }, AbortSignal.timeout(patience))) {
    if (step.identity !== undefined) return { identity: step.identity };
    if (step.outcome === "failed") return step.about === "backend" ? { failure: failureText(step) } : {};
  }
  return { unknown: true, note: `shows the groups of ${username} to nobody else: name them by --group` };
}
