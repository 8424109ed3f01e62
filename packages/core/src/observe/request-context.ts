import type { IncomingMessage, ServerResponse } from "node:http";
import type { Principal } from "@registry-gate/auth";
import { usernameOf, withoutRevision } from "../authorize/principal.ts";
import type { Client } from "../client/client.ts";
import type { ResponseHead, Transfer } from "../forward/transport.ts";
import { mediaTypeOf as parseMediaType } from "../grammar/media-type.ts";
import { remembered } from "../grammar/remembered.ts";
import type { Place } from "../limits/request-budget.ts";
import { requestIdOf, reserveRequestId } from "../respond/request-id.ts";
import { isDigest } from "../route/names.ts";
import { type Route, referenceOf, repositoryOf } from "../route/route.ts";
import { printable } from "./printable.ts";
import type { CacheResult, Decision, IssuedToken, Outcome, Phase, RequestRecord } from "./record.ts";
import { gateTime, type RequestTimes, requestTimes, upstreamTime } from "./request-times.ts";
import type { RequestTrace } from "./tracing.ts";

/** The state of one request, from which its record is made. */
export interface RequestContext {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly client: Client;
  readonly requestId: string;
  readonly phase: Phase;
  route: Route | undefined;
  /** What is asked for, where that is no route to the registry. */
  operation: "issue-token" | undefined;
  principal: Principal | undefined;
  /** The user name of a rejected login. */
  attemptedUsername: string | undefined;
  /** Whether credentials were given that are not valid. */
  loginRejected: boolean;
  decision: Decision;
  /** The index of the rule that decided. */
  rule: number | undefined;
  issuedToken: IssuedToken | undefined;
  /** As the registry names it in `Docker-Content-Digest`. */
  digest: string | undefined;
  /** As the registry names it in its response. */
  contentType: string | undefined;
  /** How it fared at the cache of content; undefined where that was not looked into. */
  cache: CacheResult | undefined;
  /** Whether an observer of writes was told of the response. */
  announced: boolean;
  reason: string;
  /** Undefined: derived from how the response ended. */
  outcome: Outcome | undefined;
  /** The request's place in the budget; undefined where there is none left. */
  place: Place | undefined;
  /** Follows the request; undefined where nobody does. */
  trace: RequestTrace | undefined;
  /** The request to the registry, once there is one. */
  transfer: Transfer | undefined;
  readonly bytes: { received: number; sent: number };
  readonly times: RequestTimes;
}

/** The status that nginx logs for a client that disconnected before the response. */
const clientClosedRequest = 499;

/** @param alone Whether nobody but the gate reads or writes the response. Default false. */
export function requestContext(
  request: IncomingMessage,
  response: ServerResponse,
  client: Client,
  alone = false,
): RequestContext {
  const { requestId } = client;
  return {
    request,
    response,
    client,
    requestId: alone ? reserveRequestId(response, requestId) : requestIdOf(response, requestId),
    phase: "validate",
    route: undefined,
    operation: undefined,
    principal: undefined,
    attemptedUsername: undefined,
    loginRejected: false,
    decision: "unauthenticated",
    rule: undefined,
    issuedToken: undefined,
    digest: undefined,
    contentType: undefined,
    cache: undefined,
    announced: false,
    reason: "",
    outcome: undefined,
    place: undefined,
    trace: undefined,
    transfer: undefined,
    bytes: { received: 0, sent: 0 },
    times: requestTimes(),
  };
}

/** Notes for the record what a response of the registry says about its content. */
export function noteContent(context: RequestContext, { headers }: ResponseHead): void {
  const digest = headers["docker-content-digest"];
  if (typeof digest === "string" && isDigest(digest)) context.digest = digest;
  const contentType = headers["content-type"];
  if (typeof contentType === "string") context.contentType = contentType;
}

/** The next step of a request begins. */
export function enterPhase(context: RequestContext, phase: Phase): void {
  const changing: { phase: Phase } = context;
  if (changing.phase === phase) return;
  changing.phase = phase;
  context.trace?.enter(phase);
}

/** Makes the record of a request that is finished or whose client disconnected. */
export function finish(context: RequestContext): RequestRecord {
  const { response } = context;
  return recordOf(
    context,
    context.outcome ?? (response.writableFinished ? "completed" : "client-aborted"),
    response.headersSent ? response.statusCode : clientClosedRequest,
  );
}

/** Makes the record of a request to which the registry has responded, as it will be if the client gets the response. */
export function announce(context: RequestContext, status: number): RequestRecord {
  context.announced = true;
  enterPhase(context, "respond");
  return recordOf(context, status >= 500 ? "upstream-error" : "completed", status);
}

function recordOf(context: RequestContext, outcome: Outcome, status: number): RequestRecord {
  const { request, client, route, principal, bytes, times } = context;
  const now = performance.now();
  const upstream = upstreamTime(times, now);
  const reference = route === undefined ? undefined : referenceOf(route);
  return {
    requestId: context.requestId,
    method: request.method ?? "",
    operation: route?.operation ?? context.operation,
    repository: route === undefined ? undefined : repositoryOf(route),
    reference,
    tags: route?.operation === "put-manifest" && route.tags.length > 0 ? route.tags : undefined,
    digest: context.digest ?? (reference?.includes(":") === true ? reference : undefined),
    mediaType: status < 300 ? mediaTypeIn(context) : undefined,
    origin: client.host === "" ? undefined : `${client.scheme}://${client.host}`,
    client: client.address,
    agent: agentOf(request),
    username: principal === undefined ? undefined : usernameOf(principal),
    attemptedUsername: context.attemptedUsername,
    loginRejected: context.loginRejected,
    backend: principal?.kind === "user" ? principal.identity.backend : undefined,
    principal: principal && withoutRevision(principal),
    decision: context.decision,
    rule: context.rule,
    issuedToken: context.issuedToken,
    phase: context.phase,
    outcome,
    reason: outcome === "client-aborted" && context.reason === "" ? "the client left" : context.reason,
    status,
    bytesReceived: bytes.received,
    bytesSent: bytes.sent,
    milliseconds: rounded(now - times.begun),
    gateMilliseconds: rounded(gateTime(times, now)),
    upstreamMilliseconds: upstream === undefined ? undefined : rounded(upstream),
    cache: context.cache,
    announced: context.announced,
  };
}

/** To microseconds. */
function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000;
}

/** There are few media types of manifests. */
const mediaTypeOf = remembered(parseMediaType);

/** What the registry has accepted or sent; anything else could be whatever a client wrote. */
function mediaTypeIn({ request, route, contentType }: RequestContext): string | undefined {
  if (route?.operation === "put-manifest") return mediaTypeOf(request.headers["content-type"] ?? "");
  return route?.operation === "get-manifest" ? mediaTypeOf(contentType ?? "") : undefined;
}

const longestAgent = 256;

function agentOf({ headers }: IncomingMessage): string | undefined {
  const agent = headers["user-agent"];
  return agent === undefined || agent === "" ? undefined : printable(agent, longestAgent);
}
