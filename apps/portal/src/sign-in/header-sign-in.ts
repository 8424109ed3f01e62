import type { Identity, Logger } from "@registry-gate/auth";
import { type Authenticator, requestIdOf } from "@registry-gate/core";
import type { Request, Response } from "express";
import { untilGone } from "../http/until-gone.ts";
import { PageError } from "../pages/page.ts";
import type { Sessions } from "../sessions/sessions.ts";
import type { SignInMethod } from "./sign-in-method.ts";

/** What signing in by a proxy in front needs. */
export interface HeaderSignIn {
  readonly sessions: Sessions;
  readonly authenticator: Authenticator;
  /** Where users sign out of the proxy. */
  readonly signOutUrl: string | undefined;
  readonly log: Logger | undefined;
}

/**
 * The user is whom the proxy in front names in each request, as the backend of its header judges it. A session only keeps what
 * forms need: it ends as soon as the proxy names somebody else, and alone it signs nobody in.
 */
export function headerSignIn({ sessions, authenticator, signOutUrl, log }: HeaderSignIn): SignInMethod {
  async function find(request: Request, response: Response): Promise<Identity | undefined> {
    const verdict = await authenticator.authenticate(request, () => untilGone(response));
    if (verdict.outcome === "unavailable") {
      log?.warn({ requestId: requestIdOf(response), err: verdict.causes[0] }, verdict.reason);
      throw new PageError(503, "It cannot be found out now who you are. Try again in a moment.");
    }
    if (verdict.outcome !== "authenticated" || verdict.principal.via !== "proxy") return undefined;
    const { identity } = verdict.principal;
    const current = await sessions.signedIn(request);
    if (current?.backend === identity.backend && current.subject === identity.subject) return identity;
    await sessions.signIn(request, response, { identity, expiresAt: verdict.expiresAt });
    if (request.method === "GET") return identity;
    // The form was of another session, whoever that was.
    throw new PageError(
      403,
      "This form belongs to another session. Go back, load the page again, and send it once more.",
    );
  }

  return {
    find,
    mount(router) {
      router.get("/sign-in", async (request, response) => {
        if ((await find(request, response)) !== undefined) return response.redirect(303, `${request.baseUrl}/`);
        throw new PageError(401, "The proxy in front of this portal has not signed you in.");
      });
    },
    afterSignOut: async (request) => signOutUrl ?? `${request.baseUrl}/sign-in`,
    signOutOrigins: () => (signOutUrl === undefined ? [] : [new URL(signOutUrl).origin]),
  };
}
