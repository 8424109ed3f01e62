import { type AuthRequest, type AuthResult, BackendUnavailableError } from "@registry-gate/auth";
import { type Deadline, type NoResult, waitFor } from "./deadline.ts";
import { readFailure } from "./failure.ts";
import { redact, redactedError } from "./redact.ts";
import { identityOf, type MapUser, type SignedIn } from "./signed-in.ts";
import type { Outcome } from "./strategy.ts";

/** The context in which a strategy's outcome is judged. */
export interface JudgeContext {
  /** The {@link AuthBackend.id}. */
  readonly id: string;
  readonly identity: MapUser;
  readonly credentials: AuthRequest["credentials"];
  readonly deadline: Deadline;
  /** Secrets that no reason and no error may contain. */
  readonly secrets: readonly string[];
  /** Called with the reason when a group is skipped. */
  readonly skipped: (reason: string) => void;
}

const abstained: AuthResult = { status: "abstained" };

/**
 * Maps a strategy's outcome to the result of a backend. A strategy that redirects or passes has not judged the credentials.
 *
 * @throws {BackendUnavailableError} when the strategy failed or timed out, and when its user cannot be mapped to an identity.
 */
export async function judgeOutcome(outcome: Outcome | NoResult, judging: JudgeContext): Promise<AuthResult> {
  const { id, credentials, deadline, secrets } = judging;
  if (typeof outcome === "string") throw noResult(id, "the strategy", outcome, deadline);
  switch (outcome.kind) {
    case "redirect":
    case "pass":
      return abstained;
    case "error":
      throw strategyFailed(judging, outcome.error);
    case "failure": {
      const failure = readFailure(outcome.challenge, outcome.status, credentials);
      if (failure.meaning === "abstained") return abstained;
      const message = redact(failure.message ?? "", secrets);
      const reason = message === "" ? "the strategy says no" : `the strategy says: ${message}`;
      if (failure.meaning === "unavailable") throw new BackendUnavailableError(id, reason);
      return { status: "rejected", reason };
    }
    case "success":
      return signIn(outcome.user, outcome.info, judging);
  }
}

async function signIn(user: unknown, info: unknown, judging: JudgeContext): Promise<AuthResult> {
  const { id, identity, deadline } = judging;
  const unclear = (error: unknown): Error =>
    failed(judging, "the strategy's user could not be mapped to an identity", error);
  if (user === undefined || user === null || user === false) throw unclear(new TypeError("there is no user"));
  const told = await waitFor<{ signedIn: SignedIn } | { error: unknown }>(deadline, (settle) => {
    const mapping = async (): Promise<SignedIn> => identity(user, info);
    mapping().then(
      (signedIn) => settle({ signedIn }),
      (error: unknown) => settle({ error }),
    );
  });
  if (typeof told === "string") throw noResult(id, "the identity function", told, deadline);
  if ("error" in told) throw unclear(told.error);
  try {
    return authenticated(told.signedIn, judging);
  } catch (error) {
    throw unclear(error);
  }
}

function authenticated(signedIn: SignedIn, { id, skipped }: JudgeContext): AuthResult {
  const identity = identityOf(signedIn, id, skipped);
  const { expiresAt } = signedIn;
  if (expiresAt === undefined) return { status: "authenticated", identity };
  if (!Number.isFinite(expiresAt)) throw new TypeError("the time of its expiry is not a number");
  if (expiresAt <= Date.now()) return { status: "rejected", reason: "the login has expired" };
  return { status: "authenticated", identity, expiresAt };
}

/** The fault that an error of the strategy is, without the secrets that it may hold. */
export function strategyFailed(judging: JudgeContext, error: unknown): BackendUnavailableError {
  return failed(judging, "the strategy failed", error);
}

function failed({ id, secrets }: JudgeContext, what: string, error: unknown): BackendUnavailableError {
  const cause = redactedError(error, secrets);
  return new BackendUnavailableError(id, `${what}: ${cause.message}`, { cause });
}

function noResult(id: string, who: string, why: NoResult, { timeout }: Deadline): BackendUnavailableError {
  const reason = why === "abort" ? "the request was aborted" : `${who} did not respond within ${timeout} ms`;
  return new BackendUnavailableError(id, reason);
}
