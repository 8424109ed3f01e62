import type { Challenge, ChallengeContext } from "./challenge.ts";
import type { Credentials } from "./credentials.ts";
import type { DiagnosisLogin, DiagnosisStep } from "./diagnosis.ts";
import type { Grants } from "./grants.ts";
import type { Identity } from "./identity.ts";

/** The machine at the other end of the connection, as the socket knows it; never what a header claims. */
export interface Peer {
  /** An IP address, IPv4-mapped IPv6 already written as IPv4; `undefined` on a Unix socket. */
  readonly address: string | undefined;
  /** Whether the connection is a Unix socket. */
  readonly local: boolean;
  /** The SHA-256 fingerprint of a client certificate that the TLS layer has verified, as `AA:BB:…`. */
  readonly certificateFingerprint?: string;
}

/** Everything that a backend may judge by. */
export interface AuthRequest {
  /** From the `Authorization` header; `undefined` where the request had none that is of Basic or Bearer. */
  readonly credentials: Credentials | undefined;
  readonly peer: Peer;
  /**
   * The address of the client: of the peer, or, where the peer is a trusted proxy, what its `X-Forwarded-For` says.
   * IPv4-mapped IPv6 is already written as IPv4; `undefined` on a Unix socket whose peer is not trusted.
   *
   * It is for serving clients fairly and for the log. Whom to believe is judged by {@link peer}.
   */
  readonly client: string | undefined;
  /** The `User-Agent` header, for the log alone: anybody can write anything there. Absent where there is none. */
  readonly agent?: string;
  /**
   * Every value of one request header, in the order received, each as it stood on its own line.
   *
   * @param name In lower case. Only the backend's own {@link AuthBackend.credentialHeaders} can be asked for; of any
   * other name the answer is empty.
   */
  header(name: string): readonly string[];
  /** Aborts when the answer is no longer wanted: the client has gone or the deadline has passed. */
  readonly signal: AbortSignal;
}

/** "Unknown here", "wrong" and "the directory is down" are three things; the third is thrown. */
export type AuthResult = Authenticated | Anonymous | Rejected | Abstained | Conflicting;

/** The credentials are good. The chain asks no further backend. */
export interface Authenticated {
  readonly status: "authenticated";
  readonly identity: Identity;
  /** When the answer ceases to hold, in milliseconds since the epoch: the expiry of a token. */
  readonly expiresAt?: number;
  /**
   * What the credentials are good for, as for a token of limited scope: they only take away from what the rules allow.
   * Absent: nothing is taken away. An empty list takes everything away.
   */
  readonly grants?: Grants;
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

/** The credentials are this backend's to judge, and they are wrong. */
export interface Rejected {
  readonly status: "rejected";
  /** For the log alone: the client is told the same whatever it is. Never holds a secret. */
  readonly reason: string;
}

/** Nothing here concerns this backend: another scheme, no header of its own, or a user whom it does not know. */
export interface Abstained {
  readonly status: "abstained";
}

/**
 * The request names two different users: a header one, and its Basic login another. It is refused with 400, whatever
 * other backends would say: which of the two counts would be a matter of taste.
 */
export interface Conflicting {
  readonly status: "conflicting";
  /** For the log alone. Never holds a secret. */
  readonly reason: string;
}

/** Is told that answers no longer hold: of one user, or, without a subject, of all. */
export type ChangeListener = (subject?: string) => void;

/** Everybody whom a backend knows, at one moment. */
export interface Roster {
  /** The names of all users, as {@link Identity.username} has them. */
  readonly users: ReadonlySet<string>;
  /** The names of all groups, as {@link Identity.groups} has them. */
  readonly groups: ReadonlySet<string>;
  /** What the user would be once signed in; `undefined` for a name that is not among the users. */
  identityOf(username: string): Identity | undefined;
}

/**
 * Decides who is asking. What they may do is decided elsewhere.
 *
 * A backend is safe to call many times in parallel, answers promptly when `signal` aborts, and never puts a secret in a
 * result, an error or a log. `@registry-gate/auth-testkit` holds these promises as tests.
 */
export interface AuthBackend {
  /** Names the backend in logs and in {@link Identity.backend}; unique within a gate. */
  readonly id: string;
  /**
   * The request headers that this backend reads, in lower case, `authorization` left out. They are dropped before the
   * request goes to the registry. A result that rests on one of them is not remembered, and a backend whose headers are
   * in the request is asked before those without.
   */
  readonly credentialHeaders?: readonly string[];
  /**
   * The user names of Basic logins that say nothing about the user, because a token is the password: `oauth2`, for
   * example. Their failures are counted as those of a token, not of a user.
   */
  readonly sharedUsernames?: readonly string[];
  /**
   * How passwords begin that are tokens of this backend, whatever user name stands beside them. Their failures, too, are
   * counted as those of a token, and no backend without headers is asked about them besides: a directory would count them as
   * wrong passwords of the user.
   */
  readonly tokenPrefixes?: readonly string[];
  /**
   * The longest password or token that the backend takes, in bytes. It is not asked about a longer one. Default 12,288;
   * a gate takes no more than fits into the 32 KiB of a request's head, where a password is a third longer.
   */
  readonly maxCredentialBytes?: number;
  /**
   * @throws {BackendUnavailableError} when the question cannot be answered now. It throws nothing else, whatever the
   * credentials are.
   */
  authenticate(request: AuthRequest): Promise<AuthResult>;
  /**
   * Whether a user can still sign in, whom the backend has authenticated before: for whatever outlives a login, such as a
   * refresh token. Without it, nothing is issued that would need it.
   *
   * A temporary lock after wrong passwords is not looked at: somebody else may have caused it.
   *
   * @param subject The {@link Identity.subject} of a login.
   * @returns the identity that a login would give now, with the groups of now; `undefined` for a user who is gone,
   * disabled, expired, or whom a login would refuse for another reason of the same kind.
   * @throws {BackendUnavailableError} when the question cannot be answered now, and nothing else.
   */
  lookup?(subject: string, signal: AbortSignal): Promise<Identity | undefined>;
  /** What a 401 should ask for to reach this backend; by default the gate asks for Basic. */
  challenge?(context: ChallengeContext): Challenge;
  /**
   * Calls `listener` whenever an answer given earlier may no longer hold, such as after a password file was reloaded: with
   * the {@link Identity.subject} of the one user whom it concerns, or without an argument where it may concern anybody.
   * Somebody who did not exist before is concerned too.
   *
   * @returns a function that ends the subscription.
   */
  onChange?(listener: ChangeListener): () => void;
  /**
   * Resolves when the backend could answer now.
   *
   * @throws {BackendUnavailableError} when it could not.
   */
  check?(signal: AbortSignal): Promise<void>;
  /**
   * Tries everything that a login needs, as somebody does who has to find out why nobody gets in, and tells each step.
   * What depends on a step that failed is left out.
   *
   * It throws nothing: what goes wrong is a step.
   */
  diagnose?(login: DiagnosisLogin | undefined, signal: AbortSignal): AsyncIterable<DiagnosisStep>;
  /**
   * Everybody whom the backend knows, where that is at hand without asking anybody, as from a file. By it an operator is
   * told of rules that name nobody, and of what a user may do.
   */
  roster?(): Roster;
  /** Lets go of files, sockets and timers. Calling it again does nothing. */
  close?(): Promise<void>;
}
