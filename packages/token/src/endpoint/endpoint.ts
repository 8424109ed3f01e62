import type { Logger, Principal } from "@registry-gate/auth";
import { basicCredentials, silentLog, warnOnce } from "@registry-gate/auth-kit";
import type { TokenEndpoint, TokenGate, TokenRequest, TokenResponse, Verdict } from "@registry-gate/core";
import { type ChallengeOptions, hostOf, tokenPath } from "../challenge.ts";
import { TokenTooLargeError } from "../issue.ts";
import type { RefreshTokens } from "../refresh-tokens.ts";
import type { TokenService } from "../token-service.ts";
import { maxFormBytes, readForm } from "./form.ts";
import { readParameters, type TokenParameters } from "./parameters.ts";
import { type Failure, fail, type OAuthError, succeed, unauthorized, unavailable } from "./respond.ts";

/** What {@link createTokenEndpoint} is told; `realm` and `service` as the challenge has them. */
export interface TokenEndpointOptions extends ChallengeOptions {
  readonly tokens: TokenService;
  /** Default: there are none, and `grant_type=refresh_token` gives `invalid_grant`. */
  readonly refreshTokens?: RefreshTokens;
  readonly log?: Logger;
}

/** Whom a token is for, and when their login ends. */
interface Login {
  readonly principal: Principal;
  readonly notAfter?: number | undefined;
}

/**
 * Makes the endpoint of the Docker token protocol: `GET` with Basic or without a login, and `POST` with the grant types
 * `password` and `refresh_token` (RFC 6749, sections 4.3 and 6). It has no CORS headers: it is not for pages of others.
 */
export function createTokenEndpoint(options: TokenEndpointOptions): TokenEndpoint {
  const { tokens, refreshTokens, realm, log = silentLog } = options;
  const warn = warnOnce(log);

  function serviceOf({ origin }: TokenGate): string {
    return options.service ?? hostOf(realm ?? origin);
  }

  async function grant(login: Login, parameters: TokenParameters, gate: TokenGate): Promise<TokenResponse | Failure> {
    const { principal, notAfter } = login;
    const { backends, permissions, mayListRepositories } = gate;
    const { scopes, offline, clientId } = parameters;
    const service = serviceOf(gate);
    const asked = {
      principal,
      notAfter,
      scopes,
      service,
      offline,
      clientId,
      backends,
      permissions,
      mayListRepositories,
    };
    try {
      const { body, access, withoutGroups } = await tokens.grant(asked);
      if (withoutGroups && principal.kind === "user") {
        const { username } = principal.identity;
        warn({ username }, "the groups of a user do not fit into a token: rules that allow by a group do not count");
      }
      return succeed(body, `a token for ${access.length} of ${scopes.length} resources`, principal);
    } catch (error) {
      if (error instanceof TokenTooLargeError) {
        return refuse("invalid_scope", error.message);
      }
      log.error({ requestId: gate.requestId, err: error }, "a token cannot be issued");
      return unavailable("a token cannot be issued");
    }
  }

  /** What a verdict leads to, where it does not name anybody for whom there is a token. */
  async function afterVerdict(
    verdict: Verdict,
    parameters: TokenParameters,
    gate: TokenGate,
    username?: string,
  ): Promise<TokenResponse | Failure> {
    switch (verdict.outcome) {
      case "authenticated": {
        const { principal, expiresAt } = verdict;
        // A token would go on for ever if it led to the next one.
        if (principal.via === "bearer") return unauthorized(serviceOf(gate), "a token is no login for another one");
        return grant({ principal, notAfter: expiresAt }, parameters, gate);
      }
      case "anonymous":
        return verdict.principal.grants === undefined
          ? grant({ principal: verdict.principal }, parameters, gate)
          : unauthorized(serviceOf(gate), "a token is no login for another one");
      case "conflicting":
        return {
          status: 400,
          error: "invalid_request",
          message: "the request names two different users",
          decision: "refused",
          reason: verdict.reason,
        };
      case "throttled":
        return {
          status: 429,
          error: "slow_down",
          message: "too many failed logins",
          decision: "throttled",
          reason: verdict.reason,
          headers: { "Retry-After": String(verdict.retryAfter) },
          attemptedUsername: username,
        };
      case "unavailable":
        return unavailable(verdict.reason);
      case "rejected":
      case "expired":
        return unauthorized(serviceOf(gate), verdict.reason, username);
    }
  }

  async function byPassword(parameters: TokenParameters, gate: TokenGate): Promise<TokenResponse | Failure> {
    const { username, password } = parameters;
    if (username === undefined || password === undefined) {
      return invalidRequest("username and password are required");
    }
    const credentials = basicCredentials(username, password);
    if (credentials === undefined) return unauthorized(serviceOf(gate), "no login has such a user name or password");
    return afterVerdict(await gate.verify(credentials), parameters, gate, credentials.username);
  }

  async function byRefreshToken(parameters: TokenParameters, gate: TokenGate): Promise<TokenResponse | Failure> {
    const { refreshToken } = parameters;
    if (refreshToken === undefined) return invalidRequest("refresh_token is required");
    const redeemed = await refreshTokens?.redeem(refreshToken, gate.backends, gate.signal);
    switch (redeemed?.kind) {
      case "valid": {
        const principal = { kind: "user", identity: redeemed.identity, via: "bearer" } as const;
        return grant({ principal }, { ...parameters, offline: false }, gate);
      }
      case "unavailable":
        return unavailable(redeemed.reason);
      default: {
        const message = "the refresh token is not valid: log in again";
        const reason = redeemed?.reason ?? "there are no refresh tokens";
        return { status: 400, error: "invalid_grant", message, decision: "unauthenticated", reason };
      }
    }
  }

  /** A service that is not ours has a token server of its own. */
  function otherService(parameters: TokenParameters, gate: TokenGate): Failure | undefined {
    const { service } = parameters;
    return service === undefined || service === serviceOf(gate) ? undefined : invalidRequest("unknown service");
  }

  async function respondToGet({ query }: TokenRequest, gate: TokenGate): Promise<TokenResponse | Failure> {
    const reading = readParameters(new URLSearchParams(query));
    if (reading.fault !== undefined) return refuse(reading.error, reading.fault);
    const { parameters } = reading;
    return otherService(parameters, gate) ?? afterVerdict(await gate.authenticate(), parameters, gate);
  }

  async function respondToPost({ contentType, body }: TokenRequest, gate: TokenGate): Promise<TokenResponse | Failure> {
    const form = await readForm(contentType, body);
    if (form.fault !== undefined) return formFaults[form.fault];
    const reading = readParameters(form.parameters);
    if (reading.fault !== undefined) return refuse(reading.error, reading.fault);
    const { parameters } = reading;
    const other = otherService(parameters, gate);
    if (other !== undefined) return other;
    switch (parameters.grantType) {
      case "password":
        return byPassword(parameters, gate);
      case "refresh_token":
        return byRefreshToken(parameters, gate);
      case undefined:
        return invalidRequest("grant_type is required");
      default:
        return refuse("unsupported_grant_type", "grant_type must be password or refresh_token");
    }
  }

  async function respondTo(request: TokenRequest, gate: TokenGate): Promise<TokenResponse | Failure> {
    if (request.method === "GET") return respondToGet(request, gate);
    if (request.method === "POST") return respondToPost(request, gate);
    const message = "tokens are had by GET and POST";
    const headers = { Allow: "GET, POST" };
    return { status: 405, error: "invalid_request", message, decision: "refused", headers };
  }

  return {
    path: tokenPath,
    async respond(request, gate) {
      const response = await respondTo(request, gate);
      return "error" in response ? fail(response, gate.requestId) : response;
    },
  };
}

function refuse(error: OAuthError, message: string): Failure {
  return { status: 400, error, message, decision: "refused" };
}

function invalidRequest(message: string): Failure {
  return refuse("invalid_request", message);
}

const refusedForm = (status: 400 | 413 | 415, message: string): Failure => ({
  status,
  error: "invalid_request",
  message,
  decision: "refused",
});

const formFaults = {
  type: refusedForm(415, "the body must be application/x-www-form-urlencoded"),
  size: refusedForm(413, `the body is larger than ${maxFormBytes} bytes`),
  encoding: refusedForm(400, "the body is not UTF-8"),
};
