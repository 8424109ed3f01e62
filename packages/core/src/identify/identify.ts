import type { IncomingMessage } from "node:http";
import type { AuthBackend, Credentials, Logger } from "@registry-gate/auth";
import type { CacheOptions } from "../options.ts";
import { authRequest } from "./auth-request.ts";
import { maxAuthorizationLength, parseAuthorization } from "./authorization.ts";
import { askInOrder } from "./chain.ts";
import { foreignAuthorization } from "./foreign-authorization.ts";
import { type SessionUser, withSession } from "./session.ts";
import type { AttemptOutcome, LoginAttempt, LoginThrottle } from "./throttle/login-throttle.ts";
import type { Verdict } from "./verdict.ts";
import { verifiedCredentials } from "./verified-credentials.ts";

/** Finds out who sent a request. */
export interface Identifier {
  /**
   * Answers at once where the caller is remembered. Rejects only when the client has gone.
   *
   * @param client The address of the client behind trusted proxies.
   * @param untilGone Makes a signal that aborts when the client goes; not called where the answer is at hand.
   */
  identify(
    request: IncomingMessage,
    client: string | undefined,
    untilGone: () => AbortSignal,
  ): Verdict | Promise<Verdict>;
  close(): void;
}

const malformed: Verdict = { outcome: "rejected", reason: "the Authorization header is malformed" };

export function identifier(
  backends: readonly AuthBackend[],
  cache: CacheOptions | false,
  log: Logger | undefined,
  session?: SessionUser,
  throttle?: LoginThrottle,
): Identifier {
  const credentialHeaders = [...new Set(backends.flatMap((backend) => backend.credentialHeaders ?? []))];
  const sharedUsernames = new Set(backends.flatMap((backend) => backend.sharedUsernames ?? []));
  const maxLength = maxAuthorizationLength(longestCredential(backends));
  const verified = cache === false ? undefined : verifiedCredentials(cache);
  const subscriptions = backends.map((backend) => backend.onChange?.(() => verified?.purge()));

  /** Those whose headers are in the request come first: they see whether these name somebody else than the login. */
  function inOrder(request: IncomingMessage): readonly AuthBackend[] {
    if (!holdsAny(request, credentialHeaders)) return backends;
    const concerned = backends.filter((backend) => holdsAny(request, backend.credentialHeaders ?? []));
    return [...concerned, ...backends.filter((backend) => !concerned.includes(backend))];
  }

  function judged(
    request: IncomingMessage,
    client: string | undefined,
    credentials: Credentials | undefined,
    untilGone: () => AbortSignal,
  ): Verdict | Promise<Verdict> {
    const ask = (until: AbortSignal): Promise<Verdict> =>
      askInOrder(inOrder(request), authRequest(request, client, credentials, credentialHeaders, until), log);
    const byHeaders = holdsAny(request, credentialHeaders);
    if (credentials === undefined && !byHeaders) return ask(untilGone());
    // An answer that rests on more than the Authorization header may hold for this connection alone.
    const fields = credentials === undefined || byHeaders ? undefined : fieldsOf(credentials);
    const remembered = fields && verified?.recall(fields);
    if (remembered !== undefined) return remembered;
    const signal = untilGone();
    const check = async (): Promise<Verdict> =>
      fields === undefined || verified === undefined ? ask(signal) : verified.resolve(fields, () => signal, ask);
    if (throttle === undefined) return check();
    return throttled(throttle, { client, ...subjectOf(request, credentials), signal }, check);
  }

  /** Whose failures are counted. */
  function subjectOf(
    { headers }: IncomingMessage,
    credentials: Credentials | undefined,
  ): Pick<LoginAttempt, "username" | "token"> {
    if (credentials?.scheme === "basic" && !sharedUsernames.has(credentials.username)) {
      return { username: credentials.username };
    }
    const parts = [headers.authorization, ...credentialHeaders.map((name) => headers[name])];
    return { username: undefined, token: JSON.stringify(parts) };
  }

  async function throttled(by: LoginThrottle, login: LoginAttempt, check: () => Promise<Verdict>): Promise<Verdict> {
    try {
      return await by.attempt(login, check, attemptOutcome);
    } catch (error) {
      if (login.signal.aborted) throw error;
      log?.error({ err: error }, "failed logins cannot be counted");
      return { outcome: "unavailable", reason: "failed logins cannot be counted" };
    }
  }

  function known(
    request: IncomingMessage,
    client: string | undefined,
    credentials: Credentials | undefined,
    untilGone: () => AbortSignal,
  ): Verdict | Promise<Verdict> {
    const verdict = judged(request, client, credentials, untilGone);
    return session === undefined ? verdict : withSession(verdict, session, request, credentials, log);
  }

  return {
    identify(request, client, untilGone) {
      const { authorization } = request.headers;
      if (authorization === undefined) return known(request, client, undefined, untilGone);
      const parsed = parseAuthorization(authorization, maxLength);
      if (parsed !== undefined) return known(request, client, parsed === "nobody" ? undefined : parsed, untilGone);
      const fault = foreignAuthorization(authorization);
      return fault === undefined ? malformed : neverAnonymous(known(request, client, undefined, untilGone), fault);
    },
    close() {
      for (const unsubscribe of subscriptions) unsubscribe?.();
    },
  };
}

function longestCredential(backends: readonly AuthBackend[]): number | undefined {
  const longest = Math.max(...backends.map(({ maxCredentialBytes = 0 }) => maxCredentialBytes));
  return longest > 0 ? longest : undefined;
}

/** Whoever brings credentials that nobody can judge is not taken for somebody without any. */
async function neverAnonymous(asked: Verdict | Promise<Verdict>, reason: string): Promise<Verdict> {
  const verdict = await asked;
  return verdict.outcome === "anonymous" ? { outcome: "rejected", reason } : verdict;
}

function fieldsOf(credentials: Credentials): readonly string[] {
  return credentials.scheme === "basic"
    ? [credentials.scheme, credentials.username, credentials.password]
    : [credentials.scheme, credentials.token];
}

function attemptOutcome({ outcome }: Verdict): AttemptOutcome {
  if (outcome === "authenticated") return "passed";
  return outcome === "rejected" ? "failed" : "unknown";
}

function holdsAny(request: IncomingMessage, headers: readonly string[]): boolean {
  return headers.some((name) => request.headers[name] !== undefined);
}
