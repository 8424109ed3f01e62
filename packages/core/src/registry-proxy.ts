import type { IncomingMessage, ServerResponse } from "node:http";
import { type Identity, InvalidOptionsError } from "@registry-gate/auth";
import * as answers from "./answer/answers.ts";
import { type ErrorAnswer, sendError } from "./answer/error-answer.ts";
import { authorize } from "./authorize/authorize.ts";
import { type Permissions, permissionsOf } from "./authorize/permissions.ts";
import { compilePolicy } from "./authorize/policy.ts";
import { filteredCatalog } from "./catalog/filtered-catalog.ts";
import { catalogReader } from "./catalog/read-catalog.ts";
import { sendCatalog } from "./catalog/send-catalog.ts";
import { askForBody } from "./expectation.ts";
import { findTag } from "./forward/find-tag.ts";
import { hasBody, upstreamHeaders } from "./forward/request-headers.ts";
import { confine, writeHead } from "./forward/response-headers.ts";
import { openUpstream } from "./forward/upstream.ts";
import { reasonOf, UpstreamFault } from "./forward/upstream-fault.ts";
import { identifier } from "./identify/identify.ts";
import { forgeryFault } from "./identify/sending-page.ts";
import type { RegistryProxyOptions } from "./options.ts";
import { addressSet, clientOf } from "./peer.ts";
import type { Decision } from "./record.ts";
import { accessesOf } from "./route/accesses.ts";
import { parseRoute } from "./route/parse-route.ts";
import { isRegistryTarget } from "./route/target.ts";
import { upstreamTarget } from "./route/upstream-target.ts";
import { isOldAgent, shapeFault } from "./shape.ts";
import { validateOptions } from "./validate-options.ts";
import { beginVisit, type Visit } from "./visit.ts";

/** A request of `node:http`, or one that express has perhaps stripped of a mount path. */
type Request = IncomingMessage & { readonly originalUrl?: string };

/** A middleware for express, and for any server that calls a handler with a request and a response. */
export interface RegistryProxy {
  /**
   * Answers every request for `/v2/` and below; passes all others on to `next`, or answers 404 where there is none.
   * Mount it before anything that reads bodies.
   */
  (request: Request, response: ServerResponse, next?: (error?: unknown) => void): void;
  /**
   * What a caller may do to a repository, by the rules of `access`: for pages that offer only what is allowed. A request
   * is judged for itself, whatever was answered here.
   *
   * @param repository A full name, such as `team/app`. On what cannot be a repository's name nothing is allowed.
   */
  permissions(caller: Identity | "anonymous", repository: string): Permissions;
  /**
   * Lets go of the connections to the registry, those in use too. The backends stay open: they belong to the caller.
   */
  close(): Promise<void>;
}

/**
 * Puts authentication and authorization in front of a container registry.
 *
 * @throws {InvalidOptionsError} with every fault in the options.
 */
export function registryProxy(options: RegistryProxyOptions): RegistryProxy {
  const faults = [...validateOptions(options).faults];
  if (options.backends.length === 0) faults.push({ path: ["backends"], message: "must not be empty" });
  if (faults.length > 0) throw new InvalidOptionsError(faults);

  const { backends, realm = "Registry realm", cache = {}, log, onRequest } = options;
  const trusted = addressSet(options.trustedProxies ?? []);
  const credentialHeaders = new Set(backends.flatMap((backend) => backend.credentialHeaders ?? []));
  const identities = identifier(backends, cache, log, options.session);
  const policy = compilePolicy(options.access);
  const upstream = openUpstream(options.upstream);

  async function pass(request: Request, response: ServerResponse, target: string): Promise<void> {
    const client = clientOf(request, trusted);
    const visit = beginVisit(request, response, client, onRequest);
    const end = (decision: Decision, reason: string, answer: ErrorAnswer): void => {
      visit.decision = decision;
      visit.reason = reason;
      if (!response.headersSent && !response.destroyed) visit.bytes.sent = sendError(request, response, answer);
    };

    try {
      // 1. Shape: what could be read in two ways is not read at all.
      if (isOldAgent(request.headers["user-agent"])) return end("refused", "docker before 1.6", answers.notFound);
      const fault = shapeFault(request, credentialHeaders);
      if (fault !== undefined) return end("refused", fault.message, answers.refused(fault));

      // 2. Route: from here on only what was understood exists.
      const { route: asked, refusal } = parseRoute(request.method ?? "", target);
      if (refusal !== undefined) return end("refused", refusal.message, answers.refused(refusal));
      visit.route = asked;

      // 3. Identify: who is it?
      const verdict = await identities.identify(request, () => untilGone(response));
      if (verdict.outcome === "unavailable") return end("unavailable", verdict.reason, answers.backendUnavailable);
      if (verdict.outcome === "conflicting") return end("refused", verdict.reason, answers.conflictingIdentities);
      const challenge = (): ErrorAnswer => answers.unauthorized(backends, realm, accessesOf(asked));
      if (verdict.outcome === "rejected") return end("unauthenticated", verdict.reason, challenge());
      const principal = verdict.outcome === "anonymous" ? "anonymous" : { identity: verdict.identity };
      visit.principal = principal;
      const bySession = verdict.outcome === "authenticated" && verdict.bySession === true;
      const forgery = forgeryFault(request, client, bySession);
      if (forgery !== undefined) return end("denied", forgery, answers.foreignPage);

      // 4. Authorize: may they?
      const authorization = authorize(policy, principal, asked);
      if (!authorization.allowed) {
        return principal === "anonymous"
          ? end("unauthenticated", authorization.reason, challenge())
          : end("denied", authorization.reason, answers.denied(accessesOf(asked)));
      }
      visit.decision = "allowed";
      visit.reason = authorization.reason;

      const { route, visible, onlyNew } = authorization;
      if (visible !== undefined && route.operation === "list-repositories") {
        const page = await filteredCatalog(route.page, visible, catalogReader(upstream, untilGone(response)));
        visit.bytes.sent = sendCatalog(request, response, route.page, page);
        return;
      }
      if (onlyNew !== undefined && route.operation === "put-manifest") {
        const tag = await findTag(upstream, route.repository, onlyNew, untilGone(response));
        if (tag !== undefined) return end("denied", `the tag ${tag} is immutable`, answers.immutable(tag));
      }

      // 5. Forward: a request rebuilt from the route and the headers that a registry needs.
      const body = hasBody(request);
      if (body && request.readableDidRead) {
        log?.error({}, "the body was read by something mounted before the registry proxy, such as a body parser");
        return end("allowed", "the body was already read", answers.bodyAlreadyRead);
      }
      const headers = upstreamHeaders(request, client, credentialHeaders, body);
      if (body) askForBody(request, response);
      upstream.forward({
        request,
        response,
        target: upstreamTarget(route),
        headers,
        hasBody: body,
        bytes: visit.bytes,

        // 6. Return: the registry's answer, as the client should see it.
        answered: (upstreamAnswer) => {
          writeHead(upstreamAnswer, response, upstream.url, client);
          if (bySession) confine(response);
        },
        failed: (kind, error) => {
          if (kind === "stalled") return end("allowed", "the client sent no more of the body", answers.bodyStalled);
          log?.warn({ err: error }, kind === "silent" ? "the registry does not answer" : "the registry is unreachable");
          end("allowed", reasonOf(error), kind === "silent" ? answers.upstreamSilent : answers.upstreamUnreachable);
        },
      });
    } catch (error) {
      if (response.destroyed) return noteDeparture(visit);
      if (error instanceof UpstreamFault) {
        log?.warn({ err: error }, "the registry did not answer the gate");
        return end(visit.decision, error.message, error.answer);
      }
      log?.error({ err: error }, "a request failed unexpectedly");
      end(visit.decision, "internal error", answers.internalError);
    }
  }

  /** What is not for the registry, where there is nobody else to answer it. */
  function refuseOutside(request: Request, response: ServerResponse): void {
    const visit = beginVisit(request, response, clientOf(request, trusted), onRequest);
    visit.reason = "not below /v2/";
    visit.bytes.sent = sendError(request, response, answers.notFound);
  }

  const handler = (request: Request, response: ServerResponse, next?: (error?: unknown) => void): void => {
    const target = request.originalUrl ?? request.url ?? "";
    if (isRegistryTarget(target)) void pass(request, response, target);
    else if (next !== undefined) next();
    else refuseOutside(request, response);
  };
  return Object.assign(handler, {
    permissions: (caller: Identity | "anonymous", repository: string) => permissionsOf(policy, caller, repository),
    close: async (): Promise<void> => {
      identities.close();
      upstream.close();
    },
  });
}

/** Aborts when the client goes before it was answered. */
function untilGone(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  if (response.destroyed) gone.abort();
  return gone.signal;
}

function noteDeparture(visit: Visit): void {
  visit.reason = "the client went before it was answered";
}
