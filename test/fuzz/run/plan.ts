import type { ConnectionSpec, FuzzCase, RequestSpec, ResponseSpec } from "../case/fuzz-case.ts";
import { addressOf, type Marker, markerOf } from "../case/marker.ts";
import { renderRequest } from "../client/render-request.ts";
import { ordinaryResponse } from "../grammar/response.ts";

/** A case with everything that is said in it. */
export interface PlannedCase {
  /** Of all cases of this process, so that its markers are its own. */
  readonly number: number;
  readonly fuzzCase: FuzzCase;
  readonly connections: readonly PlannedConnection[];
}

export interface PlannedConnection {
  readonly spec: ConnectionSpec;
  /** Of the client. */
  readonly address: string;
  readonly requests: readonly PlannedRequest[];
}

export interface PlannedRequest {
  readonly spec: RequestSpec;
  readonly marker: Marker;
  /** As it goes over the wire, a character a byte. */
  readonly bytes: string;
  readonly response: ResponseSpec;
  readonly address: string;
}

export function plan(fuzzCase: FuzzCase, number: number): PlannedCase {
  let count = 0;
  const connections = fuzzCase.connections.map((spec, connection) => {
    const address = addressOf(number, connection);
    const requests = spec.requests.map((request) => {
      const index = count++;
      return {
        spec: request,
        marker: markerOf("m", number, index),
        bytes: renderRequest(request, number, index),
        response: fuzzCase.responses[index] ?? ordinaryResponse,
        address,
      };
    });
    return { spec, address, requests };
  });
  return { number, fuzzCase, connections };
}
