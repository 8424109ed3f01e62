import type { IncomingMessage } from "node:http";
import type { Credentials, Identity, Logger } from "@registry-gate/auth";
import type { Verdict } from "./verdict.ts";

/**
 * Tells whom the app around the middleware has signed in by a session of its own; `undefined` for nobody. What it throws
 * is a fault: the request is answered with 503.
 */
export type SessionUser = (request: IncomingMessage) => Identity | undefined | Promise<Identity | undefined>;

/**
 * Brings the user of a session together with what the backends say. Credentials that were given are judged for
 * themselves; the session speaks only where there are none. Two different users are a conflict, and are never merged.
 *
 * The answer is never remembered: it would outlive the session.
 */
export async function withSession(
  asked: Verdict | Promise<Verdict>,
  session: SessionUser,
  request: IncomingMessage,
  credentials: Credentials | undefined,
  log: Logger | undefined,
): Promise<Verdict> {
  const verdict = await asked;
  const { outcome } = verdict;
  if (outcome === "conflicting" || outcome === "unavailable" || outcome === "throttled") return verdict;
  let identity: Identity | undefined;
  try {
    identity = await session(request);
  } catch (error) {
    log?.error({ err: error }, "the user of a session could not be told");
    return { outcome: "unavailable", reason: "the user of the session could not be told", causes: [error] };
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
