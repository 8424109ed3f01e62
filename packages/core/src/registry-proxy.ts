import type { Server as HttpServer, IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Server as HttpsServer } from "node:https";
import type { ChallengeError, Principal } from "@registry-gate/auth";
import { addressSet, isBearer, parseOptions } from "@registry-gate/auth-kit";
import { attach, mountingCheck } from "./attach.ts";
import { attemptedUsername } from "./authenticate/attempted-username.ts";
import type { Authenticator } from "./authenticate/authenticator.ts";
import { openAuthenticator } from "./authenticate/create-authenticator.ts";
import { crossSiteFault } from "./authenticate/cross-site.ts";
import { authorize } from "./authorize/authorize.ts";
import { compilePolicy } from "./authorize/compile-policy.ts";
import type { Permissions } from "./authorize/permission.ts";
import { permissionsOf } from "./authorize/permissions.ts";
import type { TagLimit } from "./authorize/tag-limit.ts";
import { type Client, clientOf } from "./client/client.ts";
import { failInternally, failUpstream, forward } from "./forward/forward.ts";
import { requestBody } from "./forward/request-body.ts";
import { hasBody, upstreamHeaders } from "./forward/request-headers.ts";
import type { ResponseHead, UpstreamRequest } from "./forward/transport.ts";
import { openUpstream } from "./forward/upstream.ts";
import { UpstreamFault } from "./forward/upstream-fault.ts";
import { clientKey, userKey } from "./limits/client-key.ts";
import type { Full } from "./limits/request-budget.ts";
import { requestLifecycle } from "./limits/request-lifecycle.ts";
import { requireNode } from "./node-version.ts";
import type { Decision } from "./observe/record.ts";
import type { RequestContext } from "./observe/request-context.ts";
import type { GateOptions, RegistryProxyOptions, SharedSignInOptions } from "./options/options.ts";
import { optionsSchema, sharedSignInSchema } from "./options/options-schema.ts";
import { visibleCatalog } from "./query/catalog/visible-catalog.ts";
import { findTagViolation } from "./query/immutable/tag-violation.ts";
import { type ErrorResponse, sendError } from "./respond/error-response.ts";
import { sealPage, targetOf, withClientLink } from "./respond/listing-pages.ts";
import { sandboxResponse, writeHead } from "./respond/response-headers.ts";
import * as responses from "./respond/responses.ts";
import { sendCatalog } from "./respond/send-catalog.ts";
import { withUploadLocation } from "./respond/upload-location.ts";
import { accessesOf, challengedAccesses, continuesUpload } from "./route/accesses.ts";
import { parseRoute } from "./route/parse-route.ts";
import { isRegistryTarget } from "./route/target.ts";
import { sealerFor } from "./seal/sealer.ts";
import { issueToken, isTokenTarget } from "./tokens/issue-token.ts";
import { crossOriginPolicy } from "./validate/cross-origin.ts";
import { isOldAgent, requestFault } from "./validate/validate-request.ts";

// At the import, and not in the middle of a request.
requireNode();

/** A request of `node:http`, or one that express has perhaps stripped of a mount path. */
type Request = IncomingMessage & { readonly originalUrl?: string };

/** A middleware for express, and for any server that calls a handler with a request and a response. */
export interface RegistryProxy {
  /**
   * Answers every request for `/v2/` and below; passes all others on to `next`, or responses 404 where there is none.
   * Mount it before anything that reads bodies.
   */
  (request: Request, response: ServerResponse, next?: (error?: unknown) => void): void;
  /**
   * What a principal may do to a repository, by the rules of `access` and their grants: for pages that offer only what is
   * allowed. A request is judged for itself, whatever was answered here.
   *
   * @param repository A full name, such as `team/app`. On what cannot be a repository's name nothing is allowed.
   * @throws {TypeError} for what is no principal, such as an identity alone.
   */
  permissions(principal: Principal, repository: string): Permissions;
  /**
   * Prepares a server for uploads: they are judged before their body is sent, are not limited in time, and what Node
   * cannot read is refused as the gate refuses it. To be called for each server on which the middleware is mounted; once is enough for
   * all gates of an app.
   *
   * @param app What the server calls for every request.
   */
  attach(server: HttpServer | HttpsServer, app: RequestListener): void;
  /**
   * Lets go of the connections to the registry, those in use too. The backends stay open, and so does an authenticator that
   * was given: they belong to the caller.
   */
  close(): Promise<void>;
}

/**
 * Puts authentication and authorization in front of a container registry.
 *
 * @throws {InvalidOptionsError} with every fault in the options.
 */
export function registryProxy(given: RegistryProxyOptions | SharedSignInOptions): RegistryProxy {
  const { authenticator, shared, ...options } = withAuthenticator(given);
  const { limits = {}, attemptedNames = true, tokens, log, onFinished } = options;
  const trusted = addressSet(options.trustedProxies ?? []);
  const { credentialHeaders } = authenticator;
  const policy = compilePolicy(options.access);
  const upstream = openUpstream(options.upstream, log);
  const crossOrigin = options.cors === undefined ? undefined : crossOriginPolicy(options.cors);
  const sealer = sealerFor(upstream.url, options.sealingKeys);
  const catalog = visibleCatalog(upstream, sealer);
  const checkMounting = mountingCheck(log);
  const requests = requestLifecycle({ limits, onFinished, log });

  let warnedOfForwarded = false;
  /** Read by one proxy and passed on unread by the next, such a header is whatever a client has written. */
  function warnOfForwarded({ contradictory }: Client): void {
    if (contradictory === undefined || warnedOfForwarded) return;
    warnedOfForwarded = true;
    log?.warn(
      {},
      "a trusted proxy sends Forwarded and X-Forwarded-* that differ: Forwarded is ignored, and should be removed",
    );
  }

  async function pass(context: RequestContext, target: string, full: Full | undefined): Promise<void> {
    const { request, response, client } = context;
    warnOfForwarded(client);
    const end = (decision: Decision, reason: string, error: ErrorResponse): void => {
      context.decision = decision;
      context.reason = reason;
      context.bytes.sent += sendError(request, response, error);
    };

    const fail = (error: unknown): void => {
      if (response.destroyed) return;
      if (error instanceof UpstreamFault) failUpstream(context, error, log);
      else failInternally(context, error, log);
    };

    try {
      if (full === "all") return end("unavailable", "too many requests in flight", responses.tooManyInFlight);
      if (full === "client") return end("throttled", tooManyOfClient, responses.tooManyInFlightOfClient);

      // 1. Validate: what could be read in two ways is not read at all.
      if (isOldAgent(request.headers["user-agent"])) return end("refused", "docker before 1.6", responses.notFound);
      const issuing = tokens !== undefined && isTokenTarget(target, tokens) ? tokens : undefined;
      const fault = requestFault(request, credentialHeaders, issuing !== undefined);
      if (fault !== undefined) return end("refused", fault.message, responses.refused(fault));
      if (issuing !== undefined) {
        const sources = { authenticator, policy, attemptedNames };
        return await issueToken(issuing, context, target, sources, untilGone(response));
      }

      if (crossOrigin?.isPreflight(request) === true) {
        context.decision = "allowed";
        context.reason = "a browser's preflight for a page of an allowed origin";
        return crossOrigin.sendPreflight(request, response);
      }

      // 2. Route and headers: from here on only what was understood exists.
      context.phase = "route";
      const { route: asked, refusal } = parseRoute(request.method ?? "", target);
      if (refusal !== undefined) return end("refused", refusal.message, responses.refused(refusal));
      context.route = asked;
      const { headers, refusal: malformed } = upstreamHeaders(request, client, credentialHeaders, asked.operation);
      if (malformed !== undefined) return end("refused", malformed.message, responses.refused(malformed));

      // 3. Authenticate: who is it?
      context.phase = "authenticate";
      const verdict = await authenticator.authenticate(request, () => untilGone(response), client);
      if (verdict.outcome === "unavailable") return end("unavailable", verdict.reason, responses.backendUnavailable);
      if (verdict.outcome === "conflicting") return end("refused", verdict.reason, responses.conflictingIdentities);
      const unauthorized = (error?: ChallengeError): ErrorResponse => {
        const wanted = { accesses: challengedAccesses(asked), ...(error !== undefined && { error }) };
        return responses.unauthorized(authenticator.challenge(request, wanted, client), accessesOf(asked));
      };
      if (verdict.outcome === "rejected" || verdict.outcome === "throttled") {
        context.attemptedUsername = attemptedNames ? attemptedUsername(request) : undefined;
        return verdict.outcome === "rejected"
          ? end(
              "unauthenticated",
              verdict.reason,
              unauthorized(isBearer(request.headers.authorization ?? "") ? "invalid_token" : undefined),
            )
          : end("throttled", verdict.reason, responses.throttled(verdict.retryAfter));
      }
      if (verdict.outcome === "expired" && !continuesUpload(asked)) {
        return end("unauthenticated", verdict.reason, unauthorized("invalid_token"));
      }
      const { principal } = verdict;
      context.principal = principal;
      if (principal.kind === "user" && context.place?.moveTo(userKey(principal.identity)) === false) {
        return end("throttled", tooManyOfClient, responses.tooManyInFlightOfClient);
      }
      const bySession = principal.kind === "user" && principal.via === "session";
      const forgery = crossSiteFault(request, client, bySession, crossOrigin);
      if (forgery !== undefined) return end("denied", forgery, responses.foreignPage);

      // 4. Authorize: may they?
      context.phase = "authorize";
      const plan = authorize(policy, principal, asked);
      if (plan.kind === "deny") return end("denied", plan.reason, responses.denied(accessesOf(asked)));
      if (plan.kind === "challenge") {
        const decision = principal.kind === "anonymous" ? "unauthenticated" : "denied";
        return end(decision, plan.reason, unauthorized(plan.error));
      }
      context.decision = "allowed";
      context.reason = plan.reason;

      context.phase = "forward";
      const turn = clientKey(principal, client.address);
      if (plan.kind === "filter-catalog") {
        const { route, visible } = plan;
        const page = await catalog.page(route.page, visible, principal, turn, untilGone(response));
        if ("refusal" in page) return end("refused", page.refusal.message, responses.refused(page.refusal));
        context.phase = "respond";
        context.bytes.sent += sendCatalog(request, response, route.page, page);
        return;
      }
      const { route } = plan;
      const tagLimit = plan.kind === "create-only" ? plan.tagLimit : undefined;
      if (tagLimit !== undefined) {
        const violation = await findTagViolation(upstream, route, tagLimit, { clientKey: turn }, untilGone(response));
        if (violation !== undefined) return end("denied", violation.reason, violation.response);
      }

      // 5. Forward: a request rebuilt from the route and the headers that a registry needs.
      const holder = principal.kind === "user" ? turn : principal.kind;
      const withBody = hasBody(request);
      if (withBody && request.readableDidRead) {
        log?.error({}, "the body was read by something mounted before the registry proxy, such as a body parser");
        context.outcome = "internal-error";
        return end("allowed", "the body was already read", responses.bodyAlreadyRead);
      }
      const { target: upstreamTarget, refusal: notContinued } = targetOf(route, holder, sealer);
      if (notContinued !== undefined) return end("refused", notContinued.message, responses.refused(notContinued));
      if (response.destroyed) return;
      // A body may take as long as it likes to come, and others may push the tag in the meantime.
      const mayEnd = async (limit: TagLimit): Promise<boolean> => {
        try {
          const asked = { clientKey: turn, urgent: true };
          const violation = await findTagViolation(upstream, route, limit, asked, untilGone(response));
          if (violation === undefined) return true;
          context.transfer?.abort();
          end("denied", violation.reason, violation.response);
        } catch (error) {
          context.transfer?.abort();
          fail(error);
        }
        // The registry has begun to respond before it had all of the body.
        if (!response.writableEnded) response.destroy();
        return false;
      };
      const upstreamRequest: UpstreamRequest = {
        method: request.method ?? "",
        target: upstreamTarget,
        headers,
        body: withBody ? requestBody(context, tagLimit && (() => mayEnd(tagLimit))) : undefined,
        connectionKey: holder,
        clientKey: turn,
      };

      // 6. Respond: the registry's response, as the client should see it.
      const prepare = (head: ResponseHead): ResponseHead =>
        withUploadLocation(
          withClientLink(head, route, (query, listing) =>
            listing.operation === "list-repositories"
              ? catalog.sealPage(query, principal)
              : sealPage(query, listing, sealer),
          ),
          route,
          upstreamTarget,
          upstream.url,
          holder,
          sealer,
        );
      const write = (head: ResponseHead): void => {
        writeHead(head, response, upstream.url, client);
        if (bySession) sandboxResponse(response);
      };
      forward(upstream, context, upstreamRequest, prepare, write, log);
    } catch (error) {
      fail(error);
    }
  }

  /** What is not for the registry, where there is nobody else to response it. */
  function refuseOutside(request: Request, response: ServerResponse): void {
    requests.begin(
      request,
      response,
      () => clientOf(request, trusted),
      (context) => {
        context.decision = "refused";
        context.reason = "not below /v2/";
        context.bytes.sent += sendError(request, response, responses.notFound);
      },
    );
  }

  const handler = (request: Request, response: ServerResponse, next?: (error?: unknown) => void): void => {
    const target = request.originalUrl ?? request.url ?? "";
    if (isRegistryTarget(target)) {
      checkMounting(request);
      requests.begin(
        request,
        response,
        () => clientOf(request, trusted),
        (context, full) => {
          if (tokens === undefined || !isTokenTarget(target, tokens)) crossOrigin?.mark(request, response);
          void pass(context, target, full);
        },
      );
    } else if (next !== undefined) next();
    else refuseOutside(request, response);
  };
  return Object.assign(handler, {
    permissions: (principal: Principal, repository: string) => permissionsOf(policy, principal, repository),
    attach,
    close: async (): Promise<void> => {
      if (!shared) authenticator.close();
      requests.close();
      upstream.close();
    },
  });
}

type GateSettings = GateOptions & {
  readonly authenticator: Authenticator;
  /** Whether it belongs to the caller. */
  readonly shared: boolean;
};

/** @throws {InvalidOptionsError} with every fault in the options. */
function withAuthenticator(given: RegistryProxyOptions | SharedSignInOptions): GateSettings {
  if (typeof given === "object" && given !== null && "authenticator" in given) {
    return { ...parseOptions(sharedSignInSchema, given), shared: true };
  }
  const options = parseOptions(optionsSchema, given);
  return { ...options, authenticator: openAuthenticator(options), shared: false };
}

const tooManyOfClient = "too many requests in flight of one client";

/** Aborts when the client goes before it was answered. */
function untilGone(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  if (response.destroyed) gone.abort();
  return gone.signal;
}
