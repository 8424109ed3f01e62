import type { Server as HttpServer, IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Server as HttpsServer } from "node:https";
import type { Principal } from "@registry-gate/auth";
import { addressSet, parseOptions } from "@registry-gate/auth-kit";
import { attach, mountingCheck } from "./attach.ts";
import type { Authenticator } from "./authenticate/authenticator.ts";
import { openAuthenticator } from "./authenticate/create-authenticator.ts";
import { crossSiteFault } from "./authenticate/cross-site.ts";
import type { Verdict } from "./authenticate/verdict.ts";
import { authorize } from "./authorize/authorize.ts";
import { compilePolicy } from "./authorize/compile-policy.ts";
import type { Permissions } from "./authorize/permission.ts";
import { permissionsOf } from "./authorize/permissions.ts";
import type { TagLimit } from "./authorize/tag-limit.ts";
import { type Client, clientFinder } from "./client/client.ts";
import { untilGone } from "./client/until-gone.ts";
import { failRequest, forward } from "./forward/forward.ts";
import { requestBody } from "./forward/request-body.ts";
import { hasBody, upstreamHeaders } from "./forward/request-headers.ts";
import type { ResponseHead, UpstreamRequest } from "./forward/transport.ts";
import { openUpstream } from "./forward/upstream.ts";
import { clientKey, userKey } from "./limits/client-key.ts";
import type { Full } from "./limits/request-budget.ts";
import { requestLifecycle } from "./limits/request-lifecycle.ts";
import { requireNode } from "./node-version.ts";
import type { WriteObserver } from "./observe/record.ts";
import { announce, enterPhase, noteContent, type RequestContext } from "./observe/request-context.ts";
import { timeQuery } from "./observe/request-times.ts";
import { continuing } from "./observe/tracing.ts";
import type { GateOptions, RegistryProxyOptions, SharedSignInOptions } from "./options/options.ts";
import { optionsSchema, sharedSignInSchema } from "./options/options-schema.ts";
import { visibleCatalog } from "./query/catalog/visible-catalog.ts";
import { confirmTag } from "./query/immutable/confirm-tag.ts";
import { tagTurns } from "./query/immutable/tag-turns.ts";
import { findTagViolation } from "./query/immutable/tag-violation.ts";
import { type RegistryRead, type RegistryReadResult, readAs } from "./read/read-as.ts";
import { isClaimed } from "./respond/claim.ts";
import { endAtClientLimit, endWithError } from "./respond/end-with-error.ts";
import { sealPage, targetOf, withClientLink } from "./respond/listing-pages.ts";
import { loginRefusals } from "./respond/refuse-login.ts";
import { requestIdOf } from "./respond/request-id.ts";
import { sandboxResponse, writeHead, writeHeadAlone } from "./respond/response-headers.ts";
import * as responses from "./respond/responses.ts";
import { sendCatalog } from "./respond/send-catalog.ts";
import { withUploadLocation } from "./respond/upload-location.ts";
import { accessesOf, continuesUpload, isWrite } from "./route/accesses.ts";
import { changesRegistry } from "./route/changes-registry.ts";
import { parseRoute } from "./route/parse-route.ts";
import type { Refusal } from "./route/refusal.ts";
import type { Route } from "./route/route.ts";
import { isRegistryTarget } from "./route/target.ts";
import { sealerFor } from "./seal/sealer.ts";
import { issueToken, isTokenTarget } from "./tokens/issue-token.ts";
import type { TokenEndpoint } from "./tokens/token-endpoint.ts";
import { crossOriginPolicy } from "./validate/cross-origin.ts";
import { isOldAgent, requestFault } from "./validate/validate-request.ts";

// Fails at import time instead of in the middle of a request.
requireNode();

/** A request of `node:http`, or one whose mount path express may have stripped. */
type Request = IncomingMessage & { readonly originalUrl?: string };

/** A middleware for express, and for any server that calls a handler with a request and a response. */
export interface RegistryProxy {
  /**
   * Handles every request for `/v2/` and below; passes all others to `next`, or responds with 404 without it. Mount it
   * before anything that reads bodies.
   */
  (request: Request, response: ServerResponse, next?: (error?: unknown) => void): void;
  /**
   * Computes what a principal may do to a repository, by the rules of `access` and the grants, for pages that offer
   * only what is allowed. It has no effect on later requests: each is authorized again.
   *
   * @param repository A full name, such as `team/app`. Nothing is allowed on an invalid name.
   * @throws {TypeError} for anything but a principal, such as an identity alone.
   */
  permissions(principal: Principal, repository: string): Permissions;
  /**
   * Reads lists, manifests and small blobs for pages that show them: what the principal's own request would be allowed to
   * read, and no more. Nothing is logged or recorded, and the login is not verified again.
   *
   * @throws {Error} where the registry does not respond as expected: its message names no address. When `signal` aborts,
   * its reason.
   */
  read(principal: Principal, asked: RegistryRead, signal: AbortSignal): Promise<RegistryReadResult>;
  /**
   * Prepares a server for uploads: requests are authorized before their body is sent, uploads have no time limit, and
   * requests that Node cannot parse get an error of the gate. Call it for each server on which the middleware is
   * mounted; once is enough for all gates of an app.
   *
   * @param app The request listener of the server.
   */
  attach(server: HttpServer | HttpsServer, app: RequestListener): void;
  /**
   * Closes all connections to the registry, those in use too. Backends and a given authenticator stay open: they belong
   * to the caller.
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
  const { limits = {}, attemptedNames = true, standalone = false } = options;
  const { tokens, readOnly, writes, tracer, log, onFinished } = options;
  const clientOf = clientFinder(addressSet(options.trustedProxies ?? []));
  const { credentialHeaders } = authenticator;
  const policy = compilePolicy(options.access);
  const upstream = openUpstream(options.upstream, log, options.contentChanges);
  const crossOrigin = options.cors === undefined ? undefined : crossOriginPolicy(options.cors);
  const sealer = sealerFor(upstream.url, options.sealingKeys);
  const catalog = visibleCatalog(upstream, sealer);
  const turns = tagTurns();
  const logins = loginRefusals(authenticator, attemptedNames);
  const checkMounting = mountingCheck(log);
  const requests = requestLifecycle({ limits, onFinished, tracer, log, standalone });

  let warnedOfForwarded = false;
  /** A header that one proxy reads and the next passes on unread is controlled by the client. */
  function warnOfForwarded({ contradictory }: Client, requestId: string): void {
    if (contradictory === undefined || warnedOfForwarded) return;
    warnedOfForwarded = true;
    log?.warn(
      { requestId },
      "a trusted proxy sends Forwarded and X-Forwarded-* that differ: Forwarded is ignored, and should be removed",
    );
  }

  function fail(context: RequestContext, error: unknown): void {
    if (!context.response.destroyed) failRequest(context, error, log);
  }

  /**
   * Goes on with a value: at once where it is here, so that nothing is awaited for a request whose login is cached. What
   * `next` throws fails the request.
   */
  function proceed<T extends object>(context: RequestContext, value: T | Promise<T>, next: (value: T) => void): void {
    if (value instanceof Promise) value.then(next).catch((error: unknown) => fail(context, error));
    else next(value);
  }

  /** @param issuing The endpoint of tokens, where the request is for it. */
  function pass(context: RequestContext, target: string, full: Full | undefined, issuing: TokenEndpoint | undefined) {
    const { request, response, client, requestId } = context;
    warnOfForwarded(client, requestId);
    try {
      if (full === "all") {
        return endWithError(context, "unavailable", "too many requests in flight", responses.tooManyInFlight);
      }
      if (full === "client") return endAtClientLimit(context);

      // 1. Validate: a request that implementations could read in different ways is refused.
      if (isOldAgent(request.headers["user-agent"])) {
        return endWithError(context, "refused", "docker before 1.6", responses.notFound);
      }
      const fault = requestFault(request, credentialHeaders, issuing !== undefined);
      if (fault !== undefined) return refuse(context, fault);
      if (issuing !== undefined) {
        const sources = { authenticator, policy, attemptedNames };
        const issued = issueToken(issuing, context, target, sources, untilGone(response));
        return void issued.catch((error: unknown) => fail(context, error));
      }

      if (crossOrigin?.isPreflight(request) === true) {
        context.decision = "allowed";
        context.reason = "CORS preflight of an allowed origin";
        return crossOrigin.sendPreflight(request, response);
      }

      // 2. Route and headers: the following steps see only what was parsed here.
      enterPhase(context, "route");
      const { route: requested, refusal } = parseRoute(request.method ?? "", target);
      if (refusal !== undefined) return refuse(context, refusal);
      context.route = requested;
      const { headers, refusal: malformed } = upstreamHeaders(request, client, credentialHeaders, requested.operation);
      if (malformed !== undefined) return refuse(context, malformed);

      // 3. Authenticate: who is the caller?
      enterPhase(context, "authenticate");
      const source = { address: client.address, requestId };
      proceed(
        context,
        authenticator.authenticate(request, () => untilGone(response), source),
        (verdict) => admit(context, requested, headers, verdict),
      );
    } catch (error) {
      fail(context, error);
    }
  }

  /** Step 4, and what is known of the caller before. */
  function admit(context: RequestContext, requested: Route, headers: UpstreamRequest["headers"], verdict: Verdict) {
    const { request, response, client } = context;
    if (!("principal" in verdict)) return logins.refuse(context, requested, verdict);
    if (verdict.outcome === "expired" && !continuesUpload(requested)) {
      context.loginRejected = true;
      const expired = logins.unauthorized(context, requested, "invalid_token");
      return endWithError(context, "unauthenticated", verdict.reason, expired);
    }
    const { principal } = verdict;
    context.principal = principal;
    if (principal.kind === "user" && context.place?.moveTo(userKey(principal.identity)) === false) {
      return endAtClientLimit(context);
    }
    const bySession = isBySession(principal);
    const crossSite = crossSiteFault(request, client, bySession, crossOrigin);
    if (crossSite !== undefined) return endWithError(context, "denied", crossSite, responses.crossSite);

    // 4. Authorize: may the caller do this?
    enterPhase(context, "authorize");
    const plan = authorize(policy, principal, requested);
    context.rule = plan.rule;
    if (plan.kind === "deny")
      return endWithError(context, "denied", plan.reason, responses.denied(accessesOf(requested)));
    if (plan.kind === "challenge") {
      const decision = principal.kind === "anonymous" ? "unauthenticated" : "denied";
      return endWithError(context, decision, plan.reason, logins.unauthorized(context, requested, plan.error));
    }
    context.decision = "allowed";
    context.reason = plan.reason;

    enterPhase(context, "forward");
    const queueKey = clientKey(principal, client.address);
    if (plan.kind === "filter-catalog") {
      const { route, visible } = plan;
      const page = catalog.page(route.page, visible, principal, queueKey, untilGone(response));
      return proceed(context, timeQuery(context.times, page), (read) => {
        if ("refusal" in read) return refuse(context, read.refusal);
        enterPhase(context, "respond");
        context.bytes.sent += sendCatalog(request, response, route.page, read);
      });
    }
    const { route } = plan;
    const observer = isWrite(route) ? writes : undefined;
    const unrecorded = observer?.refusal();
    if (unrecorded !== undefined) return endWithError(context, "unavailable", unrecorded, responses.notRecorded);
    const permitted = { principal, route, headers, queueKey, observer } as const;
    if (plan.kind !== "create-only") {
      // What has arrived of a body is parsed first: where it is malformed, the registry hears of none of it.
      const ready = hasBody(request) ? Promise.resolve(permitted) : permitted;
      return proceed(context, ready, () => send(context, permitted, undefined));
    }
    const { tagLimit } = plan;
    const violation = findTagViolation(upstream, route, tagLimit, { clientKey: queueKey }, untilGone(response));
    const checked = timeQuery(context.times, violation).then((found) => ({ found }));
    proceed(context, checked, ({ found }) => {
      if (found === undefined) send(context, permitted, tagLimit);
      else endWithError(context, "denied", found.reason, found.response);
    });
  }

  /**
   * Steps 5 and 6.
   *
   * @param tagLimit What is checked once more, when the body has arrived.
   */
  function send(
    context: RequestContext,
    { principal, route, headers, queueKey, observer }: PermittedRequest,
    tagLimit: TagLimit | undefined,
  ) {
    const { request, response, client, requestId } = context;

    // 5. Forward: a new request, made from the route and the headers that the operation needs.
    const holder = principal.kind === "user" ? queueKey : principal.kind;
    const withBody = hasBody(request);
    if (withBody && request.readableDidRead) {
      log?.error(
        { requestId },
        "the body was read by something mounted before the registry proxy, such as a body parser",
      );
      context.outcome = "internal-error";
      return endWithError(context, "allowed", "the body was already read", responses.bodyAlreadyRead);
    }
    const { target: upstreamTarget, refusal: notContinued } = targetOf(route, holder, sealer);
    if (notContinued !== undefined) return refuse(context, notContinued);
    // Where the body is malformed, its client has the response.
    if (response.destroyed || isClaimed(response)) return;
    if (readOnly !== undefined && changesRegistry(route)) {
      // The last step before the registry is asked: what is admitted is forwarded, and what is not leaves no trace.
      const writeEnded = readOnly.admit();
      if (writeEnded === undefined) {
        return endWithError(context, "unavailable", "read-only for maintenance", responses.readOnly);
      }
      response.once("close", writeEnded);
    }
    const mayEnd = tagLimit && (() => confirmTag(upstream, turns, context, route, tagLimit, queueKey, log));
    const upstreamRequest: UpstreamRequest = {
      method: request.method ?? "",
      target: upstreamTarget,
      headers: context.trace === undefined ? headers : continuing(context.trace, headers),
      body: withBody ? requestBody(context, mayEnd) : undefined,
      connectionKey: holder,
      clientKey: queueKey,
      route,
    };

    // 6. Respond: the registry's response, with the links and headers that the client should see.
    const bySession = isBySession(principal);
    const prepareHead = (head: ResponseHead): ResponseHead =>
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
    const writing = (head: ResponseHead): void => {
      // Of a response without a length, Node finds out at its end whether there is a body.
      const framed = head.headers["content-length"] !== undefined;
      if (standalone && framed && crossOrigin === undefined && !bySession) {
        writeHeadAlone(head, response, upstream.url, client, requestId);
      } else {
        requestIdOf(response);
        writeHead(head, response, upstream.url, client);
        if (bySession) sandboxResponse(response);
      }
    };
    const until =
      observer &&
      ((head: ResponseHead): Promise<void> | undefined => {
        noteContent(context, head);
        return observer.responded(announce(context, head.statusCode));
      });
    forward(upstream, context, upstreamRequest, { prepareHead, writeHead: writing, until }, log);
  }

  /** Responds to a request outside `/v2/` where there is no `next` handler. */
  function refuseOutside(request: Request, response: ServerResponse): void {
    requests.begin(
      request,
      response,
      () => clientOf(request),
      (context) => endWithError(context, "refused", "not below /v2/", responses.notFound),
    );
  }

  const handler = (request: Request, response: ServerResponse, next?: (error?: unknown) => void): void => {
    const target = request.originalUrl ?? request.url ?? "";
    if (isRegistryTarget(target)) {
      checkMounting(request);
      requests.begin(
        request,
        response,
        () => clientOf(request),
        (context, full) => {
          const issuing = tokens !== undefined && isTokenTarget(target, tokens) ? tokens : undefined;
          if (issuing === undefined) crossOrigin?.mark(request, response);
          pass(context, target, full, issuing);
        },
      );
    } else if (next !== undefined) next();
    else refuseOutside(request, response);
  };
  return Object.assign(handler, {
    permissions: (principal: Principal, repository: string) => permissionsOf(policy, principal, repository),
    read: (principal: Principal, asked: RegistryRead, signal: AbortSignal) =>
      readAs({ policy, upstream, catalog, sealer }, principal, asked, signal),
    attach,
    close: async (): Promise<void> => {
      if (!shared) authenticator.close();
      requests.close();
      upstream.close();
    },
  });
}

/** A request that may be forwarded. */
interface PermittedRequest {
  readonly principal: Principal;
  /** The allowed part of what was requested. */
  readonly route: Route;
  readonly headers: UpstreamRequest["headers"];
  /** In whose queue it waits. */
  readonly queueKey: string;
  /** Of the request, if it writes. */
  readonly observer: WriteObserver | undefined;
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

/** Whether only the app's session authenticates the user. */
function isBySession(principal: Principal): boolean {
  return principal.kind === "user" && principal.via === "session";
}

function refuse(context: RequestContext, refusal: Refusal): void {
  endWithError(context, "refused", refusal.message, responses.refused(refusal));
}
