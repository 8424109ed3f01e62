import type { Logger } from "@registry-gate/auth";
import { type Authenticator, requestIdOf } from "@registry-gate/core";
import type { Request, Response } from "express";
import type { Activity } from "../activity/activity.ts";
import { localPath } from "../http/local-path.ts";
import type { Shell } from "../http/shell.ts";
import { untilGone } from "../http/until-gone.ts";
import type { Sessions } from "../sessions/sessions.ts";
import { type SignInForm, signInForm, verifyForm } from "./sign-in-form.ts";
import type { SignInMethod } from "./sign-in-method.ts";

const tokenFault = "This is an access token, for docker and other programs. Sign in with your password.";

/** What signing in by a form needs. */
export interface FormSignIn {
  readonly sessions: Sessions;
  readonly authenticator: Authenticator;
  readonly shell: Shell;
  /** Is told of failures. */
  readonly activity: Activity | undefined;
  readonly log: Logger | undefined;
}

/** Sign-in by a form, which asks the backends. */
export function formSignIn({ sessions, authenticator, shell, activity, log }: FormSignIn): SignInMethod {
  async function show(
    request: Request,
    response: Response,
    shown: Omit<SignInForm, "action" | "formToken">,
    status: number,
  ): Promise<void> {
    const form = { action: `${request.baseUrl}/sign-in`, formToken: shell.formToken(request, response), ...shown };
    await shell.sendPlain(request, response, { title: "Sign in", body: signInForm(form), status });
  }

  return {
    find: (request) => sessions.signedIn(request),
    mount(router) {
      router.get("/sign-in", async (request, response) => {
        const to = localPath(request.query.to, request.baseUrl) ?? `${request.baseUrl}/`;
        if ((await sessions.signedIn(request)) !== undefined) return response.redirect(303, to);
        shell.requireScheme(request);
        return show(request, response, { to }, 200);
      });

      router.post("/sign-in", async (request, response) => {
        const form = shell.requireOwnForm(request);
        const source = { ...shell.clientOf(request), requestId: requestIdOf(response) };
        const verdict = await verifyForm(authenticator, form, request, source, untilGone(response));
        const to = localPath(form.get("to"), request.baseUrl) ?? `${request.baseUrl}/`;
        const username = form.get("username") ?? "";
        const attempt = { requestId: source.requestId, username, address: source.address };
        if (verdict === "token") return show(request, response, { to, username, fault: tokenFault }, 401);
        switch (verdict?.outcome) {
          case "authenticated": {
            const { principal, expiresAt } = verdict;
            await sessions.signIn(request, response, { identity: principal.identity, expiresAt });
            return response.redirect(303, to);
          }
          case "throttled": {
            activity?.signInFailed({ ...attempt, throttled: true });
            response.set("Retry-After", String(verdict.retryAfter));
            return show(
              request,
              response,
              { to, username, fault: "Too many logins have failed. Try again later." },
              429,
            );
          }
          case "unavailable": {
            log?.warn({ requestId: source.requestId, err: verdict.causes[0] }, verdict.reason);
            const fault = "Nobody can sign in now. Try again in a moment.";
            return show(request, response, { to, username, fault }, 503);
          }
          default:
            if (verdict !== undefined) activity?.signInFailed({ ...attempt, throttled: false });
            return show(request, response, { to, username, fault: "The user name or the password is wrong." }, 401);
        }
      });
    },
    afterSignOut: async (request) => `${request.baseUrl}/sign-in`,
    signOutOrigins: () => [],
  };
}
