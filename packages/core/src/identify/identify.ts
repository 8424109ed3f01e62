import type { IncomingMessage } from "node:http";
import type { AuthBackend, Credentials, Logger } from "@registry-gate/auth";
import type { CacheOptions } from "../options.ts";
import { authRequest } from "./auth-request.ts";
import { parseAuthorization } from "./authorization.ts";
import { askInOrder } from "./chain.ts";
import { type SessionUser, withSession } from "./session.ts";
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
): Identifier {
  const credentialHeaders = [...new Set(backends.flatMap((backend) => backend.credentialHeaders ?? []))];
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
    // An answer that rests on more than the Authorization header may hold for this connection alone.
    if (verified === undefined || credentials === undefined || holdsAny(request, credentialHeaders)) {
      return ask(untilGone());
    }
    const fields =
      credentials.scheme === "basic"
        ? [credentials.scheme, credentials.username, credentials.password]
        : [credentials.scheme, credentials.token];
    return verified.resolve(fields, untilGone, ask);
  }

  return {
    identify(request, client, untilGone) {
      const { authorization } = request.headers;
      const credentials = authorization === undefined ? undefined : parseAuthorization(authorization);
      if (authorization !== undefined && credentials === undefined) return malformed;
      const verdict = judged(request, client, credentials, untilGone);
      return session === undefined ? verdict : withSession(verdict, session, request, credentials, log);
    },
    close() {
      for (const unsubscribe of subscriptions) unsubscribe?.();
    },
  };
}

function holdsAny(request: IncomingMessage, headers: readonly string[]): boolean {
  return headers.some((name) => request.headers[name] !== undefined);
}
