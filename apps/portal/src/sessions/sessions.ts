import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import {
  type AuthBackend,
  BackendUnavailableError,
  type Duration,
  type Identity,
  InvalidOptionsError,
  parseDuration,
} from "@registry-gate/auth";
import { type KnownUser, userLookup } from "@registry-gate/auth-kit";
import type { Request, RequestHandler, Response } from "express";
import session from "express-session";
import { openLogins } from "./logins.ts";
import type { PortalState } from "./portal-state.ts";
import { currentSecrets, type Secrets } from "./secrets.ts";
import type { SignedIn } from "./session-data.ts";
import { StateSessionStore } from "./session-store.ts";

/** Options of {@link openSessions}. */
export interface SessionOptions {
  /** Where sessions are kept: shared by all processes of the portal, and closed by the caller. */
  readonly state: PortalState;
  /**
   * Secrets of at least 32 characters, by which cookies are signed: by the first one. Cookies that any of the others has signed
   * are accepted, so that a secret can be replaced without signing anybody out. A function is called for each request.
   */
  readonly secrets: Secrets;
  /** Those whose users sign in. A session of a backend that cannot look its users up lasts until it expires. */
  readonly backends: readonly AuthBackend[];
  /** How long a session lasts without a request. Default `1h`. */
  readonly idle?: Duration;
  /** How long a session lasts at most. Default `12h`. */
  readonly lifetime?: Duration;
  /** How often a user is looked up again, unless the backend says before that something has changed. Default `1m`. */
  readonly recheck?: Duration;
  /**
   * Whether sessions count for pages alone: where a proxy in front names the user in each request, so that a session without
   * that name is worth nothing. Default `false`.
   */
  readonly pagesOnly?: boolean;
  /** Whether browsers come over TLS. `false` is for a try on one's own machine alone. Default `true`. */
  readonly secure?: boolean;
}

/** Who signs in, and what the session keeps beside. */
export interface NewSession {
  readonly identity: Identity;
  /** When the login ceases to hold, in milliseconds since the epoch. Absent: sessions last as long as others. */
  readonly expiresAt?: number | undefined;
  /** What a provider of OpenID Connect has given: it is shown to the provider when the user signs out. */
  readonly idToken?: string;
}

/** The sessions of a portal. */
export interface Sessions {
  /**
   * Finds the session that a request's cookie names; mount it before whatever asks who somebody is. It reads no body, and
   * does nothing for a request without a cookie of the portal.
   */
  readonly handler: RequestHandler;
  /**
   * The user whom a request's session has signed in, as the user's backend knows them now: for the option `session` of
   * `createAuthenticator`. `undefined` where there is none, and where the user is gone, disabled or has another password.
   *
   * @throws {Error} where that cannot be found out now.
   */
  readonly userOf: (request: IncomingMessage) => Promise<Identity | undefined>;
  /** The same for pages, whether or not sessions count elsewhere. */
  signedIn(request: IncomingMessage): Promise<Identity | undefined>;
  /** Begins a session by a new id, whatever the cookie said before. */
  signIn(request: Request, response: Response, user: NewSession): Promise<void>;
  /**
   * Ends all sessions of the user whom the request's session has signed in, in every process.
   *
   * @returns what the session has kept of who it was.
   */
  signOut(request: Request): Promise<SignedIn | undefined>;
  /** Has requests of a connection within the process count as the user's. */
  vouch(connection: object, identity: Identity): void;
  /** Ends all sessions of a user. */
  end(user: KnownUser): Promise<void>;
  /** Whether browsers come over TLS. */
  readonly secure: boolean;
  /** How long a session lasts at most, in milliseconds. */
  readonly lifetime: number;
  close(): void;
}

const minute = 60_000;
const hour = 60 * minute;
/** Of a lookup, in milliseconds. */
const lookupTimeout = 30_000;

/** @throws {InvalidOptionsError} for secrets and durations that cannot be used. */
export function openSessions(options: SessionOptions): Sessions {
  const { state, backends, secure = true, pagesOnly = false } = options;
  const secrets = [...currentSecrets(options.secrets)];
  const times = {
    idle: inMilliseconds("idle", options.idle, hour),
    lifetime: inMilliseconds("lifetime", options.lifetime, 12 * hour),
  };
  const logins = openLogins(state, times.lifetime);
  const users = userLookup({
    backendOf: (id) => backends.find((backend) => backend.id === id),
    recheck: inMilliseconds("recheck", options.recheck, minute),
  });
  // A browser takes a name that begins with __Host- only over TLS, from this host, and for the whole of it (RFC 6265bis).
  const cookieName = secure ? "__Host-portal" : "portal";
  const keepSession = session({
    name: cookieName,
    // What stands in the list counts for each request.
    secret: secrets,
    store: new StateSessionStore(state, logins, times),
    resave: false,
    saveUninitialized: false,
    unset: "destroy",
    cookie: { httpOnly: true, sameSite: "lax", secure, path: "/" },
  });
  /** Requests whose session could not be read. */
  const failures = new WeakMap<IncomingMessage, unknown>();
  const found = new WeakMap<IncomingMessage, Promise<Identity | undefined>>();
  const vouched = new WeakMap<object, Identity>();

  /** Does what express-session does, and keeps its error for whoever asks for the user. */
  function open(request: Request, response: Response): Promise<void> {
    return new Promise((resolve) => {
      secrets.splice(0, secrets.length, ...currentSecrets(options.secrets));
      keepSession(request, response, (error?: unknown) => {
        if (error !== undefined) failures.set(request, error);
        resolve();
      });
    });
  }

  async function findUser(request: IncomingMessage): Promise<Identity | undefined> {
    if (failures.has(request)) throw failures.get(request);
    const user = sessionOf(request)?.user;
    if (user === undefined) return undefined;
    if (user.identity !== undefined) return user.identity;
    const finding = await users.find(user, AbortSignal.timeout(lookupTimeout));
    if (finding.kind === "unknown")
      throw new BackendUnavailableError(user.backend, `the user's backend ${finding.reason}`);
    const identity = finding.kind === "found" ? finding.identity : undefined;
    if (identity !== undefined && identity.revision === user.revision) return identity;
    await logins.end(user);
    return undefined;
  }

  function signedIn(request: IncomingMessage): Promise<Identity | undefined> {
    let work = found.get(request);
    if (work === undefined) {
      work = findUser(request);
      found.set(request, work);
    }
    return work;
  }

  return {
    ...{ secure, lifetime: times.lifetime },
    handler(request, response, next) {
      if (request.headers.cookie?.includes(`${cookieName}=`) !== true) return next();
      void open(request, response).then(() => next());
    },
    userOf: async (request) => vouched.get(request.socket) ?? (pagesOnly ? undefined : signedIn(request)),
    signedIn,
    async signIn(request, response, { identity, expiresAt, idToken }) {
      await open(request, response);
      if (failures.has(request)) throw failures.get(request);
      const { backend, subject, username, revision } = identity;
      const user = { backend, subject, username, login: await logins.begin(identity), since: Date.now() };
      await settled((done) => request.session.regenerate(done));
      const canLookUp = backends.find(({ id }) => id === backend)?.lookup !== undefined;
      request.session.user = {
        ...user,
        ...(expiresAt !== undefined && { until: expiresAt }),
        ...(revision !== undefined && { revision }),
        ...(!canLookUp && { identity }),
        ...(idToken !== undefined && { idToken }),
      };
      request.session.formToken = randomBytes(32).toString("base64url");
      await settled((done) => request.session.save(done));
      found.delete(request);
    },
    async signOut(request) {
      const user = sessionOf(request)?.user;
      if (user === undefined) return undefined;
      await logins.end(user);
      await settled((done) => request.session.destroy(done));
      found.delete(request);
      return user;
    },
    vouch: (connection, identity) => void vouched.set(connection, identity),
    end: (user) => logins.end(user),
    close: () => users.close(),
  };
}

function sessionOf(request: IncomingMessage): Partial<session.SessionData> | undefined {
  const kept: unknown = "session" in request ? request.session : undefined;
  return isSession(kept) ? kept : undefined;
}

/** express-session alone makes these, of what {@link StateSessionStore} has read. */
function isSession(value: unknown): value is Partial<session.SessionData> {
  return typeof value === "object" && value !== null && "cookie" in value;
}

function settled(work: (done: (error?: unknown) => void) => unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    work((error) => (error === undefined || error === null ? resolve() : reject(error)));
  });
}

function inMilliseconds(name: string, duration: Duration | undefined, byDefault: number): number {
  const time = duration === undefined ? byDefault : parseDuration(duration);
  if (time !== undefined && time > 0) return time;
  throw new InvalidOptionsError([{ path: [name], message: "must be a duration such as 30m or 12h" }]);
}
