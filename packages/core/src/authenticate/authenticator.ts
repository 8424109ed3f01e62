import type { IncomingMessage } from "node:http";
import type { AuthBackend, BasicCredentials, Challenge, ChallengeContext } from "@registry-gate/auth";
import type { Client } from "../client/client.ts";
import type { Verdict } from "./verdict.ts";

/** Where a login comes from. */
export interface LoginSource {
  /** The client's address, behind trusted proxies. */
  readonly address: string | undefined;
  /** The id of the request, for what is logged about it. */
  readonly requestId?: string;
}

/**
 * Authenticates requests: asks backends in order, caches successful logins, and limits failed ones. All ways to sign in
 * to one set of users should share one.
 */
export interface Authenticator {
  /** The backends. The caller closes them. */
  readonly backends: readonly AuthBackend[];
  /** The headers besides `Authorization` that backends read, in lower case. They must not reach a registry. */
  readonly credentialHeaders: ReadonlySet<string>;
  /**
   * Authenticates a request by its `Authorization` header, the headers that backends read, its connection, and the
   * session of the app where there is one. A cached verdict is returned synchronously.
   *
   * @param untilGone Creates a signal that aborts when the verdict is no longer needed; not called for a cached
   * verdict.
   * @param client The client, where the caller knows it already. Default: according to `trustedProxies`.
   * @throws the reason of the signal, and nothing else.
   */
  authenticate(
    request: IncomingMessage,
    untilGone: () => AbortSignal,
    client?: LoginSource,
  ): Verdict | Promise<Verdict>;
  /**
   * Verifies a user name and password that did not come in a header, such as from a form. Headers and the session are
   * ignored.
   *
   * @param credentials From `basicCredentials` of `@registry-gate/auth-kit`.
   * @param request The request that brought them.
   * @throws the reason of the signal, and nothing else.
   */
  verify(
    credentials: BasicCredentials,
    request: IncomingMessage,
    signal: AbortSignal,
    client?: LoginSource,
  ): Promise<Verdict>;
  /**
   * What a 401 to a request asks for: the option `challenge`, else the challenge of the first backend, else Basic. There is
   * never more than one, because docker does not try a second.
   *
   * @param wanted The accesses that the request needs, and the error of its token.
   */
  challenge(
    request: IncomingMessage,
    wanted: Omit<ChallengeContext, "origin">,
    client?: Pick<Client, "scheme" | "host">,
  ): Challenge;
  /**
   * Forgets failed logins, so that who was kept out may try again: those of an address, and, with a user name, those of the user
   * from there.
   *
   * @throws what the store of the counts throws.
   */
  release(login: { readonly client: string | undefined; readonly username: string | undefined }): Promise<void>;
  /** Clears the cache and unsubscribes from the backends. Calling it again does nothing. */
  close(): void;
}
