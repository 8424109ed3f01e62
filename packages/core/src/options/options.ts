import type { Action, AuthBackend, Duration, Logger } from "@registry-gate/auth";
import type { Authenticator } from "../authenticate/authenticator.ts";
import type { MakeChallenge } from "../authenticate/challenges.ts";
import type { SessionUser } from "../authenticate/session.ts";
import type { LoginThrottle } from "../authenticate/throttle/login-throttle.ts";
import type { ThrottleOptions } from "../authenticate/throttle/throttle-options.ts";
import type { RequestRecord } from "../observe/record.ts";
import type { SealingKeys } from "../seal/sealer.ts";
import type { TokenEndpoint } from "../tokens/token-endpoint.ts";

/** Who may sign in, and how. */
export interface SignInOptions {
  /** Asked in order; the first that authenticates wins. At least one. */
  readonly backends: readonly AuthBackend[];
  /** The realm of the Basic challenge (RFC 7617, section 2). Default `Registry realm`. */
  readonly realm?: string;
  /**
   * Makes what a 401 asks for. It sees what the request needs, what was wrong with its token, and by which origin the client
   * reaches the gate. Default: the challenge of the first backend, or Basic with the realm where it has none.
   */
  readonly challenge?: MakeChallenge;
  /**
   * Whom the app around the middleware has signed in by a session of its own. It counts where a request brings no
   * credentials, and only for the app's own pages. Absent: sessions do not count.
   */
  readonly session?: SessionUser;
  /** How checked logins are remembered. `false`: not at all. */
  readonly loginCache?: LoginCacheOptions | false;
  /**
   * How failed logins are limited, or a throttle that other logins of the app share. `false`: not at all.
   */
  readonly throttle?: ThrottleOptions | LoginThrottle | false;
}

/** Everything that {@link createAuthenticator} can be told. */
export interface AuthenticatorOptions extends SignInOptions {
  /**
   * The load balancers in front, as in the options of {@link registryProxy}, for requests that come to the authenticator
   * without it. Default none.
   */
  readonly trustedProxies?: readonly string[];
  /** Where faults of backends are told. Default nowhere. */
  readonly log?: Logger;
}

/** Everything that {@link registryProxy} can be told. */
export interface RegistryProxyOptions extends GateOptions, SignInOptions {}

/** The same with an authenticator that other parts of the app use too. It stays the caller's to close. */
export interface SharedSignInOptions extends GateOptions {
  readonly authenticator: Authenticator;
}

/** What {@link registryProxy} can be told, but for who may sign in. */
export interface GateOptions {
  /** The registry behind the gate. */
  readonly upstream: UpstreamOptions;
  /** Who may do what. Absent: whoever is authenticated may pull and push. */
  readonly access?: readonly AccessRule[];
  /**
   * IP addresses and CIDR blocks of the load balancers in front, whose `X-Forwarded-*` and `Forwarded` are believed. A Unix socket is
   * named `unix:`. Default none.
   */
  readonly trustedProxies?: readonly string[];
  /** Issues tokens to clients at a path of its own: made by `@registry-gate/token`. Default: there are none. */
  readonly tokens?: TokenEndpoint;
  /** Pages of other origins that may use the registry from a browser, such as a registry's UI. Default none. */
  readonly cors?: CorsOptions;
  /** How much may go on at the same time, and how slowly. */
  readonly limits?: LimitOptions;
  /**
   * Keys of 32 bytes for what the gate seals: places in a list and uploads that a registry names in words of its own. The
   * first one seals, each of them opens; it is called for each use. Gates that share them continue what another has begun.
   * Default: a random key for the process.
   */
  readonly sealingKeys?: SealingKeys;
  /** Called once for each request that is answered here, when it has ended: all under `/v2/`, and without `next` all. */
  readonly onFinished?: (record: RequestRecord) => void;
  /** Whether records name the users of logins that were not accepted. Default true. */
  readonly attemptedNames?: boolean;
  /** Where faults of backends and of the registry are told. Default nowhere. */
  readonly log?: Logger;
}

/** The registry, and how it is reached. */
export interface UpstreamOptions {
  /** `http://` or `https://`, host and port; no path, query or credentials. */
  readonly url: string;
  /**
   * How long the connection to the registry may be silent in both directions. An upload that moves is never cut. Default
   * `900s`, which outlasts a registry's commit of a large layer.
   */
  readonly readTimeout?: Duration;
  /** How long connecting may take, TLS included. Default `10s`. */
  readonly connectTimeout?: Duration;
  /**
   * How many connections to the registry are open at once. Requests beyond wait, those of each user in turn. Default 1024.
   */
  readonly maxConnections?: number;
  /** Certificates to trust for `https://` in place of the system's, as PEM. */
  readonly ca?: string;
  /**
   * The gate's own login at the registry, sent with each request to it; a function is called for each. What a client sends
   * in `Authorization` never reaches the registry. Default none.
   */
  readonly credentials?: RegistryCredentials | (() => RegistryCredentials);
}

/** For Basic (RFC 7617), or for Bearer (RFC 6750). */
export type RegistryCredentials =
  | { readonly username: string; readonly password: string }
  | { readonly bearer: string };

/** Which pages of other origins may use the registry from a browser. */
export interface CorsOptions {
  /** Exact origins, such as `https://ui.example.com`: a scheme, a host, and a port that is not the scheme's own. */
  readonly origins: readonly string[];
  /**
   * Whether these pages may let the browser add what it knows of the user: the app's session, a password that it
   * remembers, a client certificate. Default false: a page adds an `Authorization` header by itself.
   */
  readonly credentials?: boolean;
}

/** Limits that keep one client from taking what all need. */
export interface LimitOptions {
  /** Requests in progress, in all. Beyond them 503. Default 10 000. */
  readonly inFlight?: number;
  /** Requests in progress of one user, or of one address without a user (IPv6: of one /64). Beyond them 429. Default 256. */
  readonly inFlightPerClient?: number;
  /**
   * The least that a client must take of a response, or send of a body, in bytes a second over a minute; 0 for no limit.
   * Default 1024.
   */
  readonly minRate?: number;
}

/** How logins that were checked are remembered. */
export interface LoginCacheOptions {
  /** How long a checked login holds. Default `60s`. */
  readonly ttl?: Duration;
  /** How many are held at most. Default 10 000. */
  readonly maxEntries?: number;
}

/**
 * Whom a rule is about: anybody, anybody signed in, one user, or the members of a group. Other text has the type too, since
 * rules may come from a file; it is a fault when they are read.
 */
export type Subject =
  | "anonymous"
  | "authenticated"
  | `user:${string}`
  | `group:${string}`
  | (string & Record<never, never>);

/**
 * Allows, or denies, whoever is one of the `subjects` to do the `actions` on the `repositories`. Rules add up, in any
 * order: what no rule allows is denied, and what one rule denies no other allows.
 */
export interface AccessRule {
  /** `deny` takes away what any other rule allows. Default `allow`. */
  readonly effect?: "allow" | "deny";
  /**
   * `anonymous` (anybody, signed in or not), `authenticated` (anybody signed in), `user:NAME` or `group:NAME`. Names are
   * compared letter by letter in Normalization Form C, upper and lower case apart.
   */
  readonly subjects: readonly Subject[];
  /**
   * Globs over whole repository names: `*` matches within a path segment, `**` across segments, a leading `!` takes
   * away from what the rule is about. `${username}` stands for the caller's name, taken literally.
   */
  readonly repositories: readonly string[];
  readonly actions: readonly Action[];
  /**
   * Tags, with `*` for any text, that a push by this rule may create but not overwrite, and a delete by this rule must
   * leave as they are: neither such a tag nor any manifest or blob that it refers to is deleted. Another rule that allows
   * the same action without such a limit lifts it for that action. Not in a rule that denies.
   *
   * The registry is asked before the request is passed on, and what happens there in between is not seen: two first
   * pushes of one tag at the same time can both find it missing, and a tag that is pushed while what it refers to is being
   * deleted can end up broken. Registries know no condition on a manifest's PUT or DELETE that would prevent it.
   */
  readonly immutableTags?: readonly string[];
}
