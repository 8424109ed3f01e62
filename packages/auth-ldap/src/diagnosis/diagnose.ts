import type { DiagnosisLogin, DiagnosisStep } from "@registry-gate/auth";
import { DirectoryError } from "../directory-error.ts";
import { anything } from "../filter/filter.ts";
import { allEntries } from "../outcomes.ts";
import type { Prepared } from "../prepare.ts";
import type { Session } from "../protocol/session.ts";
import { attempt, type Steps } from "./attempt.ts";
import { tryLogin } from "./login.ts";
import { reach } from "./reach.ts";

/**
 * Connects to every server and binds the service account. On the first server where that works, searches for the user, binds as the user,
 * and reads the groups; without a user, checks the search base.
 *
 * It uses connections of its own, and leaves those of the backend alone.
 */
export async function* diagnose(
  prepared: Prepared,
  login: DiagnosisLogin | undefined,
  signal: AbortSignal,
): AsyncGenerator<DiagnosisStep, void, void> {
  const { settings } = prepared;
  const { by } = settings.user;
  let tried = false;
  for (const address of settings.directory.addresses) {
    const session = yield* reach(prepared, address, signal);
    if (session === undefined) continue;
    try {
      if (tried) continue;
      tried = true;
      if (login !== undefined) yield* tryLogin(prepared, address, session, login, signal);
      else if (by.kind !== "template") yield* checkSearchBase(session, by.base, signal);
    } finally {
      session.close();
    }
  }
}

async function* checkSearchBase(session: Session, base: string, signal: AbortSignal): Steps<true> {
  return yield* attempt("search", session.server, async () => {
    const query = { base, scope: "base", filter: anything, attributes: ["1.1"] } as const;
    const [entry] = allEntries(await session.search(query, signal), "searchBase");
    if (entry === undefined) throw new DirectoryError("result", "searchBase does not exist, or cannot be read");
    return { value: true, details: { base: entry.dn } };
  });
}
