import type { IncomingMessage } from "node:http";
import type { AuthBackend, AuthRequest, BasicCredentials, Credentials } from "@registry-gate/auth";
import { addressSet, maxAuthorizationLength, parseAuthorization, parseOptions } from "@registry-gate/auth-kit";
import { clientOf } from "../client/client.ts";
import type { AuthenticatorOptions } from "../options/options.ts";
import { authenticatorSchema } from "../options/options-schema.ts";
import { authRequest, peerOf } from "./auth-request.ts";
import type { Authenticator, LoginSource } from "./authenticator.ts";
import { askInOrder } from "./chain.ts";
import { basicChallenge, challengeOf } from "./challenges.ts";
import { connectionLogins } from "./connection-logins.ts";
import { foreignAuthorization } from "./foreign-authorization.ts";
import { rememberedLogins } from "./remembered-logins.ts";
import { withSession } from "./session.ts";
import { type AttemptOutcome, type LoginAttempt, loginThrottle } from "./throttle/login-throttle.ts";
import type { Verdict } from "./verdict.ts";

const malformed: Verdict = {
  outcome: "rejected",
  reason: "the Authorization header is malformed",
  malformed: true,
};

/** @throws {InvalidOptionsError} with every fault in the options. */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  return openAuthenticator(parseOptions(authenticatorSchema, options));
}

/** @param options Already validated. */
export function openAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { backends, loginCache = {}, session, realm = "Registry realm", log } = options;
  const makeChallenge = options.challenge ?? challengeOf(backends) ?? basicChallenge(realm);
  const trusted = addressSet(options.trustedProxies ?? []);
  const throttle = options.throttle === false ? undefined : loginThrottle(options.throttle);
  const credentialHeaders = [...new Set(backends.flatMap((backend) => backend.credentialHeaders ?? []))];
  const sharedUsernames = new Set(backends.flatMap((backend) => backend.sharedUsernames ?? []));
  // An empty one would make every password a token.
  const tokenPrefixes = backends.flatMap(({ tokenPrefixes: own = [] }) => own.filter((prefix) => prefix !== ""));
  const maxLength = maxAuthorizationLength(longestCredential(backends));
  const remembered = loginCache === false ? undefined : rememberedLogins(backends, loginCache);
  // A session may name another user than the login.
  const ofConnections = remembered === undefined || session !== undefined ? undefined : connectionLogins(remembered);

  /** Backends whose headers are in the request come first, to detect that these name another user than the login. */
  function inOrder(request: IncomingMessage): readonly AuthBackend[] {
    if (!holdsAny(request, credentialHeaders)) return backends;
    const concerned = backends.filter((backend) => holdsAny(request, backend.credentialHeaders ?? []));
    return [...concerned, ...backends.filter((backend) => !concerned.includes(backend))];
  }

  /** Verifies a login with the cache, and with the throttle where it identifies a user or token. */
  function judge(
    login: Omit<LoginAttempt, "signal"> | undefined,
    fields: readonly string[] | undefined,
    { requestId }: LoginSource,
    untilGone: () => AbortSignal,
    ask: (signal: AbortSignal) => Promise<Verdict>,
    onCached?: (name: string) => void,
  ): Verdict | Promise<Verdict> {
    const name = fields && remembered?.nameOf(fields);
    const known = name === undefined ? undefined : remembered?.recall(name);
    if (name !== undefined && known !== undefined) onCached?.(name);
    if (known !== undefined) return known;
    const signal = untilGone();
    const check = async (): Promise<Verdict> =>
      fields === undefined || remembered === undefined ? ask(signal) : remembered.resolve(fields, () => signal, ask);
    return login === undefined ? check() : throttled({ ...login, signal }, requestId, check);
  }

  async function throttled(
    login: LoginAttempt,
    requestId: string | undefined,
    check: () => Promise<Verdict>,
  ): Promise<Verdict> {
    if (throttle === undefined) return check();
    try {
      return await throttle.attempt(login, check, attemptOutcome);
    } catch (error) {
      if (login.signal.aborted) throw error;
      log?.error({ requestId, err: error }, "failed logins cannot be counted");
      return { outcome: "unavailable", reason: "failed logins cannot be counted", causes: [error] };
    }
  }

  function byRequest(
    request: IncomingMessage,
    source: LoginSource,
    credentials: Credentials | undefined,
    untilGone: () => AbortSignal,
  ): Verdict | Promise<Verdict> {
    const ask = (until: AbortSignal): Promise<Verdict> =>
      askInOrder(inOrder(request), authRequest(request, source, credentials, credentialHeaders, until), log);
    const byHeaders = holdsAny(request, credentialHeaders);
    if (credentials === undefined && !byHeaders) return ask(untilGone());
    const parts = [request.headers.authorization, ...credentialHeaders.map((name) => request.headers[name])];
    // A result that depends on other headers or the connection must not be cached by the login alone.
    const fields = credentials === undefined || byHeaders ? undefined : fieldsOf(credentials, source.address);
    const attempt = { client: source.address, ...subjectOf(credentials, parts) };
    return judge(attempt, fields, source, untilGone, ask, (name) =>
      ofConnections?.remember(request, source.address, name),
    );
  }

  /** The subject whose failures are counted. */
  function subjectOf(
    credentials: Credentials | undefined,
    parts: readonly unknown[],
  ): Pick<LoginAttempt, "username" | "token"> {
    return credentials?.scheme === "basic" && !isToken(credentials)
      ? { username: credentials.username }
      : { username: undefined, token: JSON.stringify(parts) };
  }

  /**
   * By what a verdict is cached, and shared with whoever asks meanwhile. A token may be good for one network alone, so that what
   * holds for one address says nothing about another.
   */
  function fieldsOf(credentials: Credentials, client: string | undefined): readonly string[] {
    if (credentials.scheme === "bearer") return ["bearer", credentials.token, client ?? ""];
    const login = ["basic", credentials.username, credentials.password];
    return isToken(credentials) ? [...login, client ?? ""] : login;
  }

  function isToken({ username, password }: BasicCredentials): boolean {
    return sharedUsernames.has(username) || tokenPrefixes.some((prefix) => password.startsWith(prefix));
  }

  function withSessionOf(
    request: IncomingMessage,
    source: LoginSource,
    credentials: Credentials | undefined,
    untilGone: () => AbortSignal,
  ): Verdict | Promise<Verdict> {
    const verdict = byRequest(request, source, credentials, untilGone);
    return session === undefined ? verdict : withSession(verdict, session, request, credentials, source.requestId, log);
  }

  return {
    backends,
    credentialHeaders: new Set(credentialHeaders),
    authenticate(request, untilGone, { address, requestId }: LoginSource = clientOf(request, trusted)) {
      const repeated = holdsAny(request, credentialHeaders) ? undefined : ofConnections?.recall(request, address);
      if (repeated !== undefined) return repeated;
      const source: LoginSource = { address, ...(requestId !== undefined && { requestId }) };
      const [authorization, ...more] = request.headersDistinct.authorization ?? [];
      if (authorization === undefined) return withSessionOf(request, source, undefined, untilGone);
      if (more.length > 0) return malformed;
      const parsed = parseAuthorization(authorization, maxLength);
      if (parsed !== undefined) {
        return withSessionOf(request, source, parsed === "nobody" ? undefined : parsed, untilGone);
      }
      const fault = foreignAuthorization(authorization);
      if (fault === undefined) return malformed;
      return neverAnonymous(withSessionOf(request, source, undefined, untilGone), fault);
    },
    async verify(credentials, request, signal, source = clientOf(request, trusted)) {
      const { address, requestId } = source;
      const peer = peerOf(request);
      const agent = request.headers["user-agent"];
      const asked: Omit<AuthRequest, "signal"> = {
        ...{ credentials, peer, client: address, header: () => [] },
        ...(agent !== undefined && { agent }),
        ...(requestId !== undefined && { requestId }),
      };
      const ask = (until: AbortSignal): Promise<Verdict> => askInOrder(backends, { ...asked, signal: until }, log);
      const { username, password } = credentials;
      const subject = subjectOf(credentials, [username, password]);
      return judge({ client: address, ...subject }, fieldsOf(credentials, address), source, () => signal, ask);
    },
    challenge(request, wanted, client = clientOf(request, trusted)) {
      return makeChallenge({ ...wanted, origin: `${client.scheme}://${client.host}` });
    },
    async release(login) {
      await throttle?.release(login);
    },
    close: () => remembered?.close(),
  };
}

function longestCredential(backends: readonly AuthBackend[]): number | undefined {
  const longest = Math.max(...backends.map(({ maxCredentialBytes = 0 }) => maxCredentialBytes));
  return longest > 0 ? longest : undefined;
}

/** A request with unsupported credentials is not anonymous. */
async function neverAnonymous(asked: Verdict | Promise<Verdict>, reason: string): Promise<Verdict> {
  const verdict = await asked;
  return verdict.outcome === "anonymous" ? { outcome: "rejected", reason } : verdict;
}

function attemptOutcome({ outcome }: Verdict): AttemptOutcome {
  if (outcome === "authenticated") return "passed";
  return outcome === "rejected" ? "failed" : "unknown";
}

function holdsAny(request: IncomingMessage, headers: readonly string[]): boolean {
  return headers.some((name) => request.headers[name] !== undefined);
}
