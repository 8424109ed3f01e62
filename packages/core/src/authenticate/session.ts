import type { IncomingMessage } from "node:http";
import type { Credentials, Identity, Logger } from "@registry-gate/auth";
import type { Verdict } from "./verdict.ts";

/** Returns the user of the app's own session; `undefined` for nobody. An error makes the response a 503. */
export type SessionUser = (request: IncomingMessage) => Identity | undefined | Promise<Identity | undefined>;

/**
 * Combines the user of a session with the verdict of the backends. Given credentials are verified on their own; the
 * session counts only where there are none. Two different users are a conflict, and are never merged.
 *
 * The result is never cached: it would outlive the session.
 */
export async function withSession(
  asked: Verdict | Promise<Verdict>,
  session: SessionUser,
  request: IncomingMessage,
  credentials: Credentials | undefined,
  requestId: string | undefined,
  log: Logger | undefined,
): Promise<Verdict> {
  const verdict = await asked;
  const { outcome } = verdict;
  if (outcome === "conflicting" || outcome === "unavailable" || outcome === "throttled") return verdict;
  let identity: Identity | undefined;
  try {
    identity = await session(request);
  } catch (error) {
    log?.error({ requestId, err: error }, "cannot determine the user of the session");
    return { outcome: "unavailable", reason: "cannot determine the user of the session", causes: [error] };
  }
  if (identity === undefined) return verdict;
  const given =
    verdict.outcome === "authenticated" || verdict.outcome === "expired"
      ? verdict.principal.identity.username
      : credentials?.scheme === "basic"
        ? credentials.username
        : undefined;
  if (given !== undefined && given.normalize("NFC") !== identity.username.normalize("NFC")) {
    return { outcome: "conflicting", reason: "the session and the login name two different users" };
  }
  // A token that was issued to nobody is a login too, and was limited on purpose.
  return verdict.outcome === "anonymous" && credentials === undefined
    ? { outcome: "authenticated", principal: { kind: "user", identity, via: "session" }, expiresAt: undefined }
    : verdict;
}
