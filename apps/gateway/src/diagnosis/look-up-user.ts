import type { AuthBackend, Identity } from "@registry-gate/auth";
import { caseVariants, listed } from "../warnings/known-names.ts";
import { failureText } from "./failure-text.ts";

/** For one backend: far above what its own time limits add up to. */
const timeLimit = 120_000;

/** What one backend says of a user. */
export interface Finding {
  readonly identity?: Identity;
  readonly note?: string;
  /** Whether the user may be known there all the same. */
  readonly unknown?: boolean;
  readonly failure?: string;
}

/** @param connect Whether a directory may be asked. */
export async function lookUp(backend: AuthBackend, username: string, connect: boolean): Promise<Finding> {
  const roster = backend.roster?.();
  if (roster !== undefined) {
    const identity = roster.identityOf(username);
    if (identity !== undefined) return { identity };
    const variants = caseVariants(username, roster.users);
    return variants.length === 0
      ? {}
      : { note: `knows ${listed(variants)}, which differs from ${username} only in case` };
  }
  if (backend.diagnose === undefined) {
    return { unknown: true, note: `learns the groups of ${username} only at login: pass them with --group` };
  }
  if (!connect) {
    return { unknown: true, note: `was not asked about ${username}: add --connect, or pass the groups with --group` };
  }
  for await (const step of backend.diagnose({ username }, AbortSignal.timeout(timeLimit))) {
    if (step.identity !== undefined) return { identity: step.identity };
    if (step.outcome === "failed") return step.about === "backend" ? { failure: failureText(step) } : {};
  }
  return { unknown: true, note: `shows the groups of ${username} only after a login: pass them with --group` };
}
