import type { Action, AuthBackend, Logger } from "@registry-gate/auth";
import type { SessionUser } from "./identify/session.ts";
import type { RequestRecord } from "./record.ts";

/** Everything that {@link registryProxy} can be told. */
export interface RegistryProxyOptions {
  /** The registry behind the gate. */
  readonly upstream: UpstreamOptions;
  /** Asked in order; the first that authenticates wins. At least one. */
  readonly backends: readonly AuthBackend[];
  /** The realm of the Basic challenge (RFC 7617, section 2). Default `Registry realm`. */
  readonly realm?: string;
  /** Who may do what. Absent: whoever is authenticated may pull and push. */
  readonly access?: readonly AccessRule[];
  /**
   * IP addresses and CIDR blocks of the load balancers in front, whose `X-Forwarded-*` are believed. A Unix socket is
   * named `unix:`. Default none.
   */
  readonly trustedProxies?: readonly string[];
  /**
   * Whom the app around the middleware has signed in by a session of its own. It counts where a request brings no
   * credentials, and only for the app's own pages. Absent: sessions do not count.
   */
  readonly session?: SessionUser;
  /** How checked logins are remembered. `false`: not at all. */
  readonly cache?: CacheOptions | false;
  /** Called once for each request that is answered here, when it has ended: every one under `/v2/`, and without `next` all. */
  readonly onRequest?: (record: RequestRecord) => void;
  /** Where faults of backends and of the registry are told. Default nowhere. */
  readonly log?: Logger;
}

export interface UpstreamOptions {
  /** `http://` or `https://`, host and port; no path, query or credentials. */
  readonly url: string;
  /**
   * How long the connection to the registry may be silent in both directions, in milliseconds. An upload that moves is
   * never cut. Default 900 000, which outlasts a registry's commit of a large layer.
   */
  readonly readTimeout?: number;
  /** How long connecting may take, TLS included, in milliseconds. Default 10 000. */
  readonly connectTimeout?: number;
  /** Certificates to trust for `https://` in place of the system's, as PEM. */
  readonly ca?: string;
}

export interface CacheOptions {
  /** How long a checked login holds, in milliseconds. Default 60 000. */
  readonly ttl?: number;
  /** How many are held at most. Default 10 000. */
  readonly maxEntries?: number;
}

/**
 * Allows whoever is one of the `subjects` to do the `actions` on the `repositories`. Rules add up, in any order; what no
 * rule allows is denied.
 */
export interface AccessRule {
  /**
   * `anonymous` (anybody, signed in or not), `authenticated` (anybody signed in), `user:NAME` or `group:NAME`.
   */
  readonly subjects: readonly string[];
  /**
   * Globs over whole repository names: `*` matches within a path segment, `**` across segments, a leading `!` takes
   * away. `${username}` stands for the caller's name, taken literally.
   */
  readonly repositories: readonly string[];
  readonly actions: readonly Action[];
  /**
   * Tags, with `*` for any text, that a push by this rule may create but not overwrite. Another rule that allows the
   * push without such a limit lifts it.
   *
   * The registry is asked for the tag before the push is passed on. Two first pushes of one tag at the same time can
   * both find it missing: registries know no condition on a manifest's PUT that would prevent it.
   */
  readonly immutableTags?: readonly string[];
}
