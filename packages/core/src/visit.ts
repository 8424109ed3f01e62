import type { IncomingMessage, ServerResponse } from "node:http";
import { type Principal, usernameOf } from "./authorize/principal.ts";
import type { Client } from "./peer.ts";
import type { Decision, RequestRecord } from "./record.ts";
import { type Route, referenceOf, repositoryOf } from "./route/route.ts";

/** What is learned of a request on its way, for its record. */
export interface Visit {
  readonly client: Client;
  route: Route | undefined;
  principal: Principal | undefined;
  decision: Decision;
  reason: string;
  readonly bytes: { received: number; sent: number };
}

/** The status of nginx for a client that went before the answer. */
const clientClosedRequest = 499;

/** Begins a visit; when the response has ended, or the client has gone, `onRequest` is told. */
export function beginVisit(
  request: IncomingMessage,
  response: ServerResponse,
  client: Client,
  onRequest: ((record: RequestRecord) => void) | undefined,
): Visit {
  const visit: Visit = {
    client,
    route: undefined,
    principal: undefined,
    decision: "refused",
    reason: "",
    bytes: { received: 0, sent: 0 },
  };
  if (onRequest !== undefined) {
    const { method = "" } = request;
    const begun = performance.now();
    response.once("close", () => onRequest(recordOf(visit, method, response, begun)));
  }
  return visit;
}

function recordOf(visit: Visit, method: string, response: ServerResponse, begun: number): RequestRecord {
  const { route, principal, bytes } = visit;
  return {
    method,
    operation: route?.operation,
    repository: route === undefined ? undefined : repositoryOf(route),
    reference: route === undefined ? undefined : referenceOf(route),
    client: visit.client.address,
    username: principal === undefined ? undefined : usernameOf(principal),
    backend: principal === undefined || principal === "anonymous" ? undefined : principal.identity.backend,
    decision: visit.decision,
    reason: visit.reason,
    status: response.headersSent ? response.statusCode : clientClosedRequest,
    bytesReceived: bytes.received,
    bytesSent: bytes.sent,
    milliseconds: Math.round((performance.now() - begun) * 1000) / 1000,
  };
}
