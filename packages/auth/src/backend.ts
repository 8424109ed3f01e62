import type { Challenge, ChallengeContext } from "./challenge.ts";
import type { Credentials } from "./credentials.ts";
import type { DiagnosisLogin, DiagnosisStep } from "./diagnosis.ts";
import type { Grants } from "./grants.ts";
import type { Identity } from "./identity.ts";

/** The other end of the TCP or Unix connection, as the socket reports it; never what a header claims. */
export interface Peer {
  /** An IP address, IPv4-mapped IPv6 already written as IPv4; `undefined` on a Unix socket. */
  readonly address: string | undefined;
  /** Whether the connection is a Unix socket. */
  readonly unixSocket: boolean;
  /** The SHA-256 fingerprint of a client certificate that the TLS layer has verified, as `AA:BB:…`. */
  readonly certificateFingerprint?: string;
}

/** The part of a request that a backend sees. */
export interface AuthRequest {
  /** From the `Authorization` header; `undefined` without a header of the scheme Basic or Bearer. */
  readonly credentials: Credentials | undefined;
  readonly peer: Peer;
  /**
   * The address of the client: that of the peer, or, behind a trusted proxy, the one from `X-Forwarded-For`.
   * IPv4-mapped IPv6 is already written as IPv4; `undefined` on a Unix socket whose peer is not trusted.
   *
   * Use it for fairness between clients and for the log. Trust decisions use {@link peer}.
   */
  readonly client: string | undefined;
  /** The `User-Agent` header, for the log alone: anybody can write anything there. Absent where there is none. */
  readonly agent?: string;
  /** The request's `X-Request-Id`, as `requestId` of whatever is logged about it. Absent where nobody gave it one. */
  readonly requestId?: string;
  /**
   * Every value of one request header, in the order received, one element for each line.
   *
   * @param name In lower case. Only the backend's own {@link AuthBackend.credentialHeaders} are available; any other
   * name gives an empty list.
   */
  header(name: string): readonly string[];
  /** Aborts when the result is no longer needed: the client disconnected or the deadline passed. */
  readonly signal: AbortSignal;
}

/**
 * The result of a login. A backend that cannot decide, because its directory is down for example, throws {@link
 * BackendUnavailableError}.
 */
export type AuthResult = Authenticated | Anonymous | Rejected | Abstained | Conflicting;

/** The credentials are valid. The chain asks no further backend. */
export interface Authenticated {
  readonly status: "authenticated";
  readonly identity: Identity;
  /** When the result expires, in milliseconds since the epoch: the expiry of a token. */
  readonly expiresAt?: number;
  /**
   * Restricts what the rules allow, as for a token of limited scope. Absent: no restriction. An empty list allows
   * nothing.
   */
  readonly grants?: Grants;
  /** The client can get a token with wider grants by asking for them: the login behind this one is not limited. */
  readonly widenable?: true;
  /**
   * For how long the gate may remember the result without asking again, in milliseconds; 0: not at all. Unlike
   * {@link expiresAt} it says nothing about how long the login holds. Absent: as long as the gate remembers logins.
   */
  readonly rememberFor?: number;
  /** The login has expired, and counts only for continuing uploads that began under it. */
  readonly uploadsOnly?: true;
}

/**
 * The credentials are good, and say that nobody signed in: a token that was issued for what anonymous users may do. The chain
 * asks no further backend.
 */
export interface Anonymous {
  readonly status: "anonymous";
  /** When the result ceases to hold, in milliseconds since the epoch. */
  readonly expiresAt?: number;
  /** They cut what anonymous users may do. */
  readonly grants: Grants;
}

/** This backend is responsible for the credentials, and they are wrong. */
export interface Rejected {
  readonly status: "rejected";
  /** For the log alone: the client gets the same response whatever the reason. Never holds a secret. */
  readonly reason: string;
}

/** This backend is not responsible: another scheme, none of its headers, or a user it does not know. */
export interface Abstained {
  readonly status: "abstained";
}

/**
 * The request names two different users: a header one, and its Basic login another. It is refused with 400, whatever
 * other backends would say: duplicates are ambiguous.
 */
export interface Conflicting {
  readonly status: "conflicting";
  /** For the log alone. Never holds a secret. */
  readonly reason: string;
}

/** Called when earlier results may be out of date: those of one user, or, without a subject, of all. */
export type ChangeListener = (subject?: string) => void;

/** A snapshot of all users and groups of a backend. */
export interface Roster {
  /** The names of all users, as {@link Identity.username} has them. */
  readonly users: ReadonlySet<string>;
  /** The names of all groups, as {@link Identity.groups} has them. */
  readonly groups: ReadonlySet<string>;
  /** The identity that a login of this user would have; `undefined` for a name that is not among the users. */
  identityOf(username: string): Identity | undefined;
}

/**
 * Authenticates the callers of requests. Authorization is not its concern.
 *
 * A backend is safe to call many times in parallel, settles promptly when `signal` aborts, and never puts a secret in a
 * result, an error or a log. `@registry-gate/auth-testkit` tests these promises.
 */
export interface AuthBackend {
  /** Names the backend in logs and in {@link Identity.backend}; unique within a gate. */
  readonly id: string;
  /**
   * The request headers that this backend reads, in lower case, without `authorization`. They are not forwarded to the
   * registry. A result that depends on one of them is not cached, and a backend whose headers are in the request is
   * asked before the others.
   */
  readonly credentialHeaders?: readonly string[];
  /**
   * User names of Basic logins whose password is a token, for example `oauth2`. They do not identify a user: their
   * failures are counted per token.
   */
  readonly sharedUsernames?: readonly string[];
  /**
   * How passwords begin that are tokens of this backend, whatever user name stands beside them. Their failures, too, are
   * counted as those of a token, and no backend without headers is asked about them besides: a directory would count them as
   * wrong passwords of the user.
   */
  readonly tokenPrefixes?: readonly string[];
  /**
   * The longest password or token that the backend accepts, in bytes. It is not asked about a longer one. Default
   * 12,288. The limit of the gate is the 32 KiB of a request's head, where Base64 makes a password a third longer.
   */
  readonly maxCredentialBytes?: number;
  /**
   * @throws {BackendUnavailableError} when the backend cannot decide now. It throws nothing else, whatever the
   * credentials are.
   */
  authenticate(request: AuthRequest): Promise<AuthResult>;
  /**
   * Checks whether a user who signed in before could still do so: for anything that outlives a login, such as a refresh
   * token. A gate issues no such token for a backend without it.
   *
   * It ignores a temporary lock after wrong passwords: somebody else may have caused it.
   *
   * @param subject The {@link Identity.subject} of a login.
   * @returns the identity, with groups, that a login would give now; `undefined` for a user who is deleted, disabled,
   * expired, or would be refused for a similar reason.
   * @throws {BackendUnavailableError} when the backend cannot decide now, and nothing else.
   */
  lookup?(subject: string, signal: AbortSignal): Promise<Identity | undefined>;
  /**
   * Whether a login that this backend has authenticated still holds, for a token that was issued for it. It is asked at
   * each use of such a token. Without it, such a token holds until it expires.
   *
   * @param identity As the backend gave it, with its {@link Identity.revision}.
   * @param request The use of the token. Its credentials are those of the token.
   * @returns for how long the gate may take the token without asking again, in milliseconds, from 0; `undefined` if the login
   * holds no longer.
   * @throws {BackendUnavailableError} when it cannot find out, and nothing else.
   */
  recheck?(identity: Identity, request: AuthRequest): Promise<number | undefined>;
  /** The challenge in a 401 for this backend. Default: Basic. */
  challenge?(context: ChallengeContext): Challenge;
  /**
   * Calls `listener` whenever an earlier result may be out of date, such as after a password file was reloaded: with
   * the {@link Identity.subject} of the user concerned, or without an argument where any user may be. A new user is
   * concerned too.
   *
   * @returns a function that ends the subscription.
   */
  onChange?(listener: ChangeListener): () => void;
  /**
   * Resolves when the backend is available.
   *
   * @throws {BackendUnavailableError} when it is not.
   */
  check?(signal: AbortSignal): Promise<void>;
  /**
   * Tries each step of a login, for an operator who looks for the cause of failed logins, and reports each step. Steps
   * that depend on a failed one are left out.
   *
   * It throws nothing: an error is reported as a failed step.
   */
  diagnose?(login: DiagnosisLogin | undefined, signal: AbortSignal): AsyncIterable<DiagnosisStep>;
  /**
   * All users and groups, where they are known without a query, as from a file. It is used to warn of rules that name
   * an unknown user or group, and to list what a user may do.
   */
  roster?(): Roster;
  /** Closes files, sockets and timers. Calling it again does nothing. */
  close?(): Promise<void>;
}
