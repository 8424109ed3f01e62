import { type Marker, marksIn } from "../case/marker.ts";
import { type ReadResponses, readResponses } from "../client/response-stream.ts";
import type { Transcript } from "../client/run-connection.ts";
import { renderResponse } from "../registry/render-response.ts";
import type { PlannedConnection, PlannedRequest } from "../run/plan.ts";
import type { Violation } from "./violation.ts";

/** Judges what a client of a case was sent. */
export function judgeTranscript(connection: PlannedConnection, transcript: Transcript): Violation[] {
  const crossing = [connection.address, ...markersOf(connection.requests)];
  return violationsIn(connection, transcript).map((violation) => {
    const { kind, markers } = violation;
    return { ...violation, unlessCrossed: kind === "leak" ? [...crossing, ...markers] : crossing };
  });
}

function violationsIn(connection: PlannedConnection, transcript: Transcript): Violation[] {
  const { requests } = connection;
  const leaks = leaksIn(connection, transcript);
  const exact = requests.every(({ spec }) => spec.framing.exact);
  const read = readAsSent(connection, transcript, exact);
  if (read === undefined) return leaks;
  const violations = [...leaks];
  const [first] = requests;
  if (read.fault !== undefined) {
    const text = `${read.fault}\n${beforeFault(read)}`;
    violations.push({ kind: "response-form", text, markers: markersOf([first]) });
  }
  if (!exact) return violations;
  violations.push(...outOfOrder(requests, read), ...givenAsWhole(requests, read));
  if (transcript.gaveUp) {
    const text = `${read.responses.length} of ${requests.length} responses, and the connection is open`;
    violations.push({ kind: "hang", text, markers: markersOf([requests[read.responses.length] ?? first]) });
  } else {
    violations.push(...notServed(connection, read));
  }
  return violations;
}

function leaksIn({ requests }: PlannedConnection, { received }: Transcript): Violation[] {
  const own = new Set(requests.map(({ marker }) => marker));
  return marksIn(received)
    .filter(({ kind, marker }) => kind === "end" || !own.has(marker))
    .map(({ kind, owner, marker }) => ({
      kind: "leak",
      text: `a client got ${kind === "end" ? "what followed a response" : "another client's response"}, of ${owner}`,
      markers: [...markersOf([requests[0]]), marker],
    }));
}

/** What the client reads, where it can know where its responses end. */
function readAsSent(
  { spec, requests }: PlannedConnection,
  { received, ended }: Transcript,
  exact: boolean,
): ReadResponses | undefined {
  if (spec.reading === "none") return undefined;
  const methods = requests.map(({ spec: { method } }) => method);
  if (exact) return readResponses(received, methods, ended);
  // What is left of a request may be taken for further ones.
  if (methods.includes("HEAD")) return undefined;
  return readResponses(
    received,
    Array.from({ length: 1000 }, () => "GET"),
    ended,
  );
}

/** What was read until there was a fault. */
function beforeFault({ responses }: ReadResponses): string {
  return responses
    .map(({ status, headers, body }) => `${status} ${JSON.stringify([...headers])}, ${body.length} bytes`)
    .join("\n");
}

function outOfOrder(requests: readonly PlannedRequest[], { responses }: ReadResponses): Violation[] {
  return responses.flatMap(({ body }, index) =>
    marksIn(body)
      .filter(({ marker }) => marker !== requests[index]?.marker)
      .map(
        ({ marker }): Violation => ({
          kind: "response-form",
          text: `the response to request ${index} came for another one of the connection`,
          markers: [marker],
        }),
      ),
  );
}

function givenAsWhole(requests: readonly PlannedRequest[], { responses }: ReadResponses): Violation[] {
  return responses.flatMap(({ body, complete, status }, index): Violation[] => {
    const request = requests[index];
    if (request?.response.quality !== "broken" || !complete || marksIn(body).length === 0) return [];
    return [
      { kind: "truncated", text: `a response that broke off came as whole, ${status}`, markers: [request.marker] },
    ];
  });
}

/** A well-behaved client on a connection with nothing but good requests and good responses gets them exactly. */
function notServed({ spec, requests }: PlannedConnection, { responses }: ReadResponses): Violation[] {
  if (spec.ending !== "wait" || spec.schedule.cut !== null) return [];
  for (const [index, request] of requests.entries()) {
    if (!request.spec.proper || request.response.quality !== "good") return [];
    if (!request.spec.target.includes("{m}")) continue;
    const response = responses[index];
    const expected = expectedOf(request);
    if (response?.complete === true && response.status === expected.status && response.body === expected.body) continue;
    // A connection may be closed just when a request is sent on it, and a write must not be sent twice.
    const write = request.spec.method !== "GET" && request.spec.method !== "HEAD";
    if (write && response?.status === 502) return [];
    const got = response === undefined ? "nothing" : `${response.status} with ${response.body.length} bytes`;
    const text = `${request.spec.method}: ${got} in the place of ${expected.status} with ${expected.body.length} bytes`;
    return [{ kind: "not-served", text, markers: [request.marker] }];
  }
  return [];
}

function expectedOf({ spec, response, marker }: PlannedRequest): { status: number; body: string } {
  const owner = /^\/v2\/([a-z]+)\//.exec(spec.target)?.[1] ?? "";
  const { body } = renderResponse(response, { method: spec.method, marker, owner });
  return { status: Number(response.head[0]?.split(" ")[1]), body };
}

function markersOf(requests: readonly (PlannedRequest | undefined)[]): Marker[] {
  return requests.flatMap((request) => (request === undefined ? [] : [request.marker]));
}
