import type { ServerResponse } from "node:http";
import { attemptedUsername } from "../authenticate/attempted-username.ts";
import type { Authenticator } from "../authenticate/authenticator.ts";
import { crossSiteFault } from "../authenticate/cross-site.ts";
import type { Verdict } from "../authenticate/verdict.ts";
import type { Policy } from "../authorize/policy.ts";
import { userKey } from "../limits/client-key.ts";
import { enterPhase, type RequestContext } from "../observe/request-context.ts";
import { removeOwnedHeaders } from "../respond/app-headers.ts";
import { claim, isClaimed } from "../respond/claim.ts";
import { endResponse } from "../respond/end-response.ts";
import { endAtClientLimit, endWithError } from "../respond/end-with-error.ts";
import { apiVersion, sendError } from "../respond/error-response.ts";
import * as responses from "../respond/responses.ts";
import { askForBody, holdsBodyBack } from "../validate/expectation.ts";
import type { TokenEndpoint, TokenGate, TokenResponse } from "./token-endpoint.ts";
import { tokenGate } from "./token-gate.ts";

/** What the endpoint may ask about. */
export interface TokenSources {
  readonly authenticator: Authenticator;
  readonly policy: Policy;
  /** Whether records name the users of logins that were not accepted. */
  readonly attemptedNames: boolean;
}

/** How long the body of a request for a token may take to come, in milliseconds. */
const formTimeout = 30_000;

/** Whether a request is for the endpoint. Its path has one spelling; any other is a path that no operation has. */
export function isTokenTarget(target: string, { path }: TokenEndpoint): boolean {
  return target === path || target.startsWith(`${path}?`);
}

/**
 * Lets an endpoint respond to a request that was validated, and notes what happened in the context.
 *
 * @throws what the endpoint or the body of the request throws.
 */
export async function issueToken(
  endpoint: TokenEndpoint,
  context: RequestContext,
  target: string,
  { authenticator, policy, attemptedNames }: TokenSources,
  signal: AbortSignal,
): Promise<void> {
  const { request, response, client } = context;
  context.operation = "issue-token";
  enterPhase(context, "authenticate");
  const foreign = crossSiteFault(request, client, false, undefined);
  if (foreign !== undefined) return endWithError(context, "denied", foreign, responses.crossSite);
  const asked = tokenGate(authenticator, policy, request, client, context.requestId, signal);
  const gate: TokenGate = { ...asked, authenticate: async () => bySession(await asked.authenticate()) };
  /** The app's session counts for its own pages alone. */
  function bySession(verdict: Verdict): Verdict {
    if (verdict.outcome !== "authenticated" || verdict.principal.via !== "session") return verdict;
    const fault = crossSiteFault(request, client, true, undefined);
    return fault === undefined ? verdict : { outcome: "rejected", reason: fault };
  }

  const issued = await endpoint.respond(
    {
      method: request.method ?? "",
      query: target.slice(endpoint.path.length + 1),
      contentType: request.headers["content-type"],
      body: formOf(context),
    },
    gate,
  );
  // The body took too long, and the client was told so.
  if (isClaimed(response)) return;
  const { principal, decision } = issued;
  context.principal = principal;
  if (attemptedNames && (decision === "unauthenticated" || decision === "throttled" || decision === "unavailable")) {
    context.attemptedUsername = issued.attemptedUsername ?? attemptedUsername(request);
  }
  if (principal?.kind === "user" && context.place?.moveTo(userKey(principal.identity)) === false) {
    return endAtClientLimit(context);
  }
  context.decision = decision;
  context.loginRejected = issued.loginRejected === true;
  context.issuedToken = issued.issued;
  context.reason = issued.reason;
  enterPhase(context, "respond");
  context.bytes.sent += send(context, issued);
}

/** The body, in chunks as they come. Leaving off leaves the connection as it is. */
async function* formOf(context: RequestContext): AsyncGenerator<Buffer> {
  const { request, response, bytes } = context;
  askForBody(request, response);
  const timer = setTimeout(() => {
    context.outcome = "timeout";
    context.reason = "the client sent no more of the body";
    bytes.sent += sendError(request, response, responses.bodyStalled);
  }, formTimeout);
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      if (!Buffer.isBuffer(chunk)) throw new TypeError("the body was given an encoding by something mounted before");
      bytes.received += chunk.length;
      yield chunk;
    }
  } finally {
    clearTimeout(timer);
  }
}

/** @returns the length of the body, in bytes. */
function send({ request, response }: RequestContext, issued: TokenResponse): number {
  if (!claim(response)) return 0;
  writeHead(response, issued);
  if (holdsBodyBack(request)) response.setHeader("Connection", "close");
  endResponse(request, response, issued.body);
  return Buffer.byteLength(issued.body);
}

/** Without the headers for pages of other origins: a token is for nobody who has not asked for it. */
function writeHead(response: ServerResponse, { status, headers, body }: TokenResponse): void {
  response.statusCode = status;
  removeOwnedHeaders(response);
  for (const name of response.getHeaderNames()) if (name.startsWith("access-control-")) response.removeHeader(name);
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.setHeader("Content-Length", Buffer.byteLength(body));
  response.setHeader("X-Content-Type-Options", "nosniff");
  response.setHeader(...apiVersion);
}
