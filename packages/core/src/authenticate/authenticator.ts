import type { IncomingMessage } from "node:http";
import type { AuthBackend, BasicCredentials, Challenge, ChallengeContext } from "@registry-gate/auth";
import type { Client } from "../client/client.ts";
import type { Verdict } from "./verdict.ts";

/**
 * Finds out who sends a request: asks backends in their order, remembers whom they have authenticated, and limits failed
 * logins. One is meant for all ways of signing in to one set of users.
 */
export interface Authenticator {
  /** Those that are asked. They stay the caller's to close. */
  readonly backends: readonly AuthBackend[];
  /** The headers beside `Authorization` that backends read, in lower case. They must not reach a registry. */
  readonly credentialHeaders: ReadonlySet<string>;
  /**
   * Judges the `Authorization` header, the headers that backends read and the connection of a request, and the session of
   * the app where there is one. The verdict is given at once where the login is remembered.
   *
   * @param untilGone Makes a signal that aborts when the verdict is no longer wanted; not called where it is at hand.
   * @param client The client, where the caller knows it already. Default: as `trustedProxies` says.
   * @throws what the signal gives as its reason, and nothing else.
   */
  authenticate(
    request: IncomingMessage,
    untilGone: () => AbortSignal,
    client?: Pick<Client, "address">,
  ): Verdict | Promise<Verdict>;
  /**
   * Judges a user name and a password that came in another way than in a header, such as from a form. Headers and the
   * session do not count.
   *
   * @param credentials As `basicCredentials` of `@registry-gate/auth-kit` reads them.
   * @param request The request that brought them.
   * @throws what the signal gives as its reason, and nothing else.
   */
  verify(
    credentials: BasicCredentials,
    request: IncomingMessage,
    signal: AbortSignal,
    client?: Pick<Client, "address">,
  ): Promise<Verdict>;
  /**
   * What a 401 to a request asks for: the option `challenge`, else the challenge of the first backend, else Basic. There is
   * never more than one, because docker does not try a second.
   *
   * @param wanted What the request needs, and what was wrong with its token.
   */
  challenge(
    request: IncomingMessage,
    wanted: Omit<ChallengeContext, "origin">,
    client?: Pick<Client, "scheme" | "host">,
  ): Challenge;
  /** Forgets whom it remembers, and listens to the backends no longer. Calling it again does nothing. */
  close(): void;
}
