import type { ChallengeError } from "@registry-gate/auth";
import { isBearer } from "@registry-gate/auth-kit";
import { attemptedUsername } from "../authenticate/attempted-username.ts";
import type { Authenticator } from "../authenticate/authenticator.ts";
import type { RefusedVerdict } from "../authenticate/verdict.ts";
import type { RequestContext } from "../observe/request-context.ts";
import { accessesOf, challengedAccesses } from "../route/accesses.ts";
import type { Route } from "../route/route.ts";
import { endWithError } from "./end-with-error.ts";
import type { ErrorResponse } from "./error-response.ts";
import * as responses from "./responses.ts";

/** Responses to requests whose caller is not authenticated, or not sufficiently. */
export interface LoginRefusals {
  /** A 401 with the challenge for what the route needs. */
  unauthorized(context: RequestContext, route: Route, error?: ChallengeError): ErrorResponse;
  /** Ends a request by a verdict that has no principal. */
  refuse(context: RequestContext, route: Route, verdict: RefusedVerdict): void;
}

/** @param attemptedNames Whether records name the user of a rejected login. */
export function loginRefusals(authenticator: Authenticator, attemptedNames: boolean): LoginRefusals {
  function unauthorized({ request, client }: RequestContext, route: Route, error?: ChallengeError): ErrorResponse {
    const wanted = { accesses: challengedAccesses(route), ...(error !== undefined && { error }) };
    return responses.unauthorized(authenticator.challenge(request, wanted, client), accessesOf(route));
  }

  return {
    unauthorized,
    refuse(context, route, verdict) {
      const { request } = context;
      const { outcome, reason } = verdict;
      if (outcome === "conflicting") return endWithError(context, "refused", reason, responses.conflictingIdentities);
      context.attemptedUsername = attemptedNames ? attemptedUsername(request) : undefined;
      if (outcome === "unavailable") return endWithError(context, outcome, reason, responses.backendUnavailable);
      context.loginRejected = outcome === "rejected";
      if (outcome === "throttled")
        return endWithError(context, outcome, reason, responses.throttled(verdict.retryAfter));
      const error = isBearer(request.headers.authorization ?? "") ? "invalid_token" : undefined;
      endWithError(context, "unauthenticated", reason, unauthorized(context, route, error));
    },
  };
}
