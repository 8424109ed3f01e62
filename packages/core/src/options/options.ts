import type { Action, AuthBackend, Duration, Logger } from "@registry-gate/auth";
import type { Authenticator } from "../authenticate/authenticator.ts";
import type { MakeChallenge } from "../authenticate/challenges.ts";
import type { SessionUser } from "../authenticate/session.ts";
import type { LoginThrottle } from "../authenticate/throttle/login-throttle.ts";
import type { ThrottleOptions } from "../authenticate/throttle/throttle-options.ts";
import type { ContentChanges } from "../forward/cache/content-changes.ts";
import type { ReadOnlySwitch } from "../limits/read-only-switch.ts";
import type { RequestRecord, WriteObserver } from "../observe/record.ts";
import type { RequestTracer } from "../observe/tracing.ts";
import type { SealingKeys } from "../seal/sealer.ts";
import type { TokenEndpoint } from "../tokens/token-endpoint.ts";

/** Options for authentication. */
export interface SignInOptions {
  /** Backends in order; the first that authenticates wins. At least one. */
  readonly backends: readonly AuthBackend[];
  /** The realm of the Basic challenge (RFC 7617, section 2). Default `Registry realm`. */
  readonly realm?: string;
  /**
   * Makes what a 401 asks for. It sees what the request needs, what was wrong with its token, and by which origin the client
   * reaches the gate. Default: the challenge of the first backend, or Basic with the realm where it has none.
   */
  readonly challenge?: MakeChallenge;
  /**
   * Returns the user of the app's own session. It counts for requests without credentials, and only from the app's own
   * pages. Default: sessions do not count.
   */
  readonly session?: SessionUser;
  /** The cache of successful logins. `false`: none. */
  readonly loginCache?: LoginCacheOptions | false;
  /** Limits for failed logins, or a throttle shared with other logins of the app. `false`: none. */
  readonly throttle?: ThrottleOptions | LoginThrottle | false;
}

/** Options of {@link createAuthenticator}. */
export interface AuthenticatorOptions extends SignInOptions {
  /**
   * The trusted proxies, as in the options of {@link registryProxy}, for requests that reach the authenticator
   * directly. Default none.
   */
  readonly trustedProxies?: readonly string[];
  /** The log for errors of backends. Default none. */
  readonly log?: Logger;
}

/** Options of {@link registryProxy}. */
export interface RegistryProxyOptions extends GateOptions, SignInOptions {}

/** Options of {@link registryProxy} with an authenticator that other parts of the app use too. The caller closes it. */
export interface SharedSignInOptions extends GateOptions {
  readonly authenticator: Authenticator;
}

/** Options of {@link registryProxy} except authentication. */
export interface GateOptions {
  /** The registry behind the gate. */
  readonly upstream: UpstreamOptions;
  /** The access rules. Default: authenticated users can pull and push. */
  readonly access?: readonly AccessRule[];
  /**
   * IP addresses and CIDR blocks of trusted proxies, whose `X-Forwarded-*` and `Forwarded` count. `unix:` stands for a
   * Unix socket. Default none.
   */
  readonly trustedProxies?: readonly string[];
  /** Issues tokens to clients at a path of its own: made by `@registry-gate/token`. Default: there are none. */
  readonly tokens?: TokenEndpoint;
  /** The pages of other origins that may use the registry from a browser, such as a registry UI. Default none. */
  readonly cors?: CorsOptions;
  /** Limits for concurrent and slow requests. */
  readonly limits?: LimitOptions;
  /**
   * Keys of 32 bytes for what the gate seals: places in a list and uploads that a registry names in words of its own. The
   * first one seals, each of them opens; it is called for each use. Gates that share them continue what another has begun.
   * Default: a random key for the process.
   */
  readonly sealingKeys?: SealingKeys;
  /** Called once for each finished request that the middleware handles: all under `/v2/`, and without `next` all. */
  readonly onFinished?: (record: RequestRecord) => void;
  /** Is told of responses to writes before the client is, and can refuse writes. Default: none. */
  readonly writes?: WriteObserver;
  /**
   * Follows requests for distributed tracing, and continues their traces at the registry. Default: what the client sends as
   * trace context is passed on as it is.
   */
  readonly tracer?: RequestTracer;
  /** Whether records contain the user names of rejected logins. Default true. */
  readonly attemptedNames?: boolean;
  /**
   * Whether nobody but the gate reads or writes its responses: no middleware that sets headers, replaces methods of a response or
   * reads its headers afterwards. Heads are then written in one step, and `response.getHeader` knows nothing of them.
   * Default `false`.
   */
  readonly standalone?: boolean;
  /**
   * Refuses writes with 503 while it is on, and counts those in flight: made by {@link createReadOnlySwitch}. Default:
   * writes are never refused for maintenance.
   */
  readonly readOnly?: ReadOnlySwitch;
  /**
   * Connects the cache of `upstream.cache` with those of gates in other processes, so that a push through one of them is seen
   * at once by all. Default: the cache learns of what passes this gate.
   */
  readonly contentChanges?: ContentChanges;
  /** The log for errors of backends and of the registry. Default none. */
  readonly log?: Logger;
}

/** The registry and the connections to it. */
export interface UpstreamOptions {
  /** `http://` or `https://`, host and port; no path, query or credentials. */
  readonly url: string;
  /**
   * How long the connection to the registry may be silent in both directions. An upload in progress is never cut.
   * Default `900s`, which is longer than a registry needs to commit a large layer.
   */
  readonly readTimeout?: Duration;
  /** How long connecting may take, TLS included. Default `10s`. */
  readonly connectTimeout?: Duration;
  /** The maximum number of connections to the registry. Further requests wait, in turn by user. Default 1024. */
  readonly maxConnections?: number;
  /** CA certificates for `https://` in place of the system's, as PEM. */
  readonly ca?: string;
  /**
   * The gate's own login at the registry, sent with each request; a function is called for each. The client's
   * `Authorization` never reaches the registry. Default none.
   */
  readonly credentials?: RegistryCredentials | (() => RegistryCredentials);
  /** Keeps manifests and small blobs in memory. Default: nothing is kept, and each request is for the registry. */
  readonly cache?: ContentCacheOptions;
  /**
   * How requests are sent to the registry: `direct` by the gate itself, `library` by http-proxy-middleware, `auto`, the
   * default, by the gate itself where it can. Clients and the registry see no difference but that of speed.
   */
  readonly transport?: "auto" | "direct" | "library";
}

/**
 * Options of the cache of manifests and small blobs. Every request is authorized as without it; a body is kept once its
 * digest was verified, for the repository that it was asked of; a PUT or DELETE that passes the gate drops what it changes.
 */
export interface ContentCacheOptions {
  /** The maximum memory of everything that is kept, in bytes. Default 64 MiB. */
  readonly maxSize?: number;
  /** The maximum length of a body that is kept, in bytes. Default 1 MiB, and never more than `maxSize`. */
  readonly maxEntry?: number;
  /**
   * How long a tag is served without asking the registry: so long a push that does not pass this gate may stay unseen.
   * Default 0: the registry is asked each time whether the tag has changed.
   */
  readonly ttl?: Duration;
  /**
   * How long content is served by its digest without asking the registry: so long what was deleted in another way than
   * through this gate may stay visible. Default `1h`.
   */
  readonly maxAge?: Duration;
}

/** For Basic (RFC 7617), or for Bearer (RFC 6750). */
export type RegistryCredentials =
  | { readonly username: string; readonly password: string }
  | { readonly bearer: string };

/** Which pages of other origins may use the registry from a browser. */
export interface CorsOptions {
  /** Exact origins, such as `https://ui.example.com`: scheme, host, and a non-default port. */
  readonly origins: readonly string[];
  /**
   * Whether the browser may add credentials to requests of these pages: the app's session, remembered passwords, client
   * certificates. Default false: pages set `Authorization` themselves.
   */
  readonly credentials?: boolean;
}

/** Limits that protect shared resources from single clients. */
export interface LimitOptions {
  /** The maximum number of concurrent requests. Further ones get 503. Default 10 000. */
  readonly inFlight?: number;
  /**
   * The maximum number of concurrent requests of one user, or of one address without a user (IPv6: one /64). Further
   * ones get 429. Default 256.
   */
  readonly inFlightPerClient?: number;
  /**
   * The minimum rate at which a client must read a response or send a body, in bytes a second over a minute; 0 for
   * none. Default 1024.
   */
  readonly minRate?: number;
}

/** Options of the cache of successful logins. */
export interface LoginCacheOptions {
  /** The time to live. Default `60s`. */
  readonly ttl?: Duration;
  /** The maximum number of entries. Default 10 000. */
  readonly maxEntries?: number;
}

/**
 * The subject of a rule: anybody, any authenticated user, one user, or the members of a group. The type accepts other
 * text too, since rules may come from a file; validation rejects it.
 */
export type Subject =
  | "anonymous"
  | "authenticated"
  | `user:${string}`
  | `group:${string}`
  | (string & Record<never, never>);

/**
 * Allows or denies the `subjects` to do the `actions` on the `repositories`. The order of rules does not matter: what
 * no rule allows is denied, and a rule that denies overrides all that allow.
 */
export interface AccessRule {
  /** `deny` overrides every rule that allows. Default `allow`. */
  readonly effect?: "allow" | "deny";
  /**
   * `anonymous` (anybody, authenticated or not), `authenticated` (any authenticated user), `user:NAME` or `group:NAME`.
   * Names are compared exactly, with regard to case, in Normalization Form C.
   */
  readonly subjects: readonly Subject[];
  /**
   * Globs for whole repository names: `*` matches within a path segment, `**` across segments, a leading `!` excludes.
   * `${username}` is replaced by the caller's name, taken literally.
   */
  readonly repositories: readonly string[];
  readonly actions: readonly Action[];
  /**
   * Tags, with `*` for any text, that a push by this rule may create but not overwrite, and a delete by this rule must
   * not break: neither such a tag nor any manifest or blob that it refers to is deleted. Another rule that allows the
   * same action without such a limit lifts it for that action. Not in a rule that denies.
   *
   * The gate queries the registry before it forwards the request, and does not see changes in between: two concurrent
   * first pushes of one tag can both find it missing, and a tag that is pushed while a manifest it refers to is being
   * deleted can end up broken. Registries support no condition on a manifest's PUT or DELETE that would prevent it.
   */
  readonly immutableTags?: readonly string[];
}
