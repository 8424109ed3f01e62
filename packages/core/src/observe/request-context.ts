import type { IncomingMessage, ServerResponse } from "node:http";
import type { Principal } from "@registry-gate/auth";
import { usernameOf, withoutRevision } from "../authorize/principal.ts";
import type { Client } from "../client/client.ts";
import type { Transfer } from "../forward/transport.ts";
import type { Place } from "../limits/request-budget.ts";
import { requestIdOf } from "../respond/request-id.ts";
import { type Route, referenceOf, repositoryOf } from "../route/route.ts";
import type { Decision, Outcome, Phase, RequestRecord } from "./record.ts";
import { gateTime, type RequestTimes, requestTimes, upstreamTime } from "./request-times.ts";

/** The state of one request, from which its record is made. */
export interface RequestContext {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly client: Client;
  readonly requestId: string;
  phase: Phase;
  route: Route | undefined;
  /** What is asked for, where that is no route to the registry. */
  operation: "issue-token" | undefined;
  principal: Principal | undefined;
  /** The user name of a rejected login. */
  attemptedUsername: string | undefined;
  decision: Decision;
  reason: string;
  /** Undefined: derived from how the response ended. */
  outcome: Outcome | undefined;
  /** The request's place in the budget; undefined where there is none left. */
  place: Place | undefined;
  /** The request to the registry, once there is one. */
  transfer: Transfer | undefined;
  readonly bytes: { received: number; sent: number };
  readonly times: RequestTimes;
}

/** The status that nginx logs for a client that disconnected before the response. */
const clientClosedRequest = 499;

export function requestContext(request: IncomingMessage, response: ServerResponse, client: Client): RequestContext {
  return {
    request,
    response,
    client,
    requestId: requestIdOf(response, client.requestId),
    phase: "validate",
    route: undefined,
    operation: undefined,
    principal: undefined,
    attemptedUsername: undefined,
    decision: "unauthenticated",
    reason: "",
    outcome: undefined,
    place: undefined,
    transfer: undefined,
    bytes: { received: 0, sent: 0 },
    times: requestTimes(),
  };
}

/** Makes the record of a request that is finished or whose client disconnected. */
export function finish(context: RequestContext): RequestRecord {
  const { request, response, client, route, principal, bytes, times } = context;
  const now = performance.now();
  const upstream = upstreamTime(times, now);
  const outcome = context.outcome ?? (response.writableFinished ? "completed" : "client-aborted");
  return {
    requestId: context.requestId,
    method: request.method ?? "",
    operation: route?.operation ?? context.operation,
    repository: route === undefined ? undefined : repositoryOf(route),
    reference: route === undefined ? undefined : referenceOf(route),
    client: client.address,
    username: principal === undefined ? undefined : usernameOf(principal),
    attemptedUsername: context.attemptedUsername,
    backend: principal?.kind === "user" ? principal.identity.backend : undefined,
    principal: principal && withoutRevision(principal),
    decision: context.decision,
    phase: context.phase,
    outcome,
    reason: outcome === "client-aborted" && context.reason === "" ? "the client left" : context.reason,
    status: response.headersSent ? response.statusCode : clientClosedRequest,
    bytesReceived: bytes.received,
    bytesSent: bytes.sent,
    milliseconds: rounded(now - times.begun),
    gateMilliseconds: rounded(gateTime(times, now)),
    upstreamMilliseconds: upstream === undefined ? undefined : rounded(upstream),
  };
}

/** To microseconds. */
function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000;
}
