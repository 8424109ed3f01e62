import type { ConnectionSpec, FuzzCase, RequestSpec, ResponseSpec } from "../case/fuzz-case.ts";
import { withLength } from "../grammar/framing.ts";
import { ordinaryResponse } from "../grammar/response.ts";

/**
 * Makes a case as simple as it goes: takes things away, and puts what is usual in the place of others, as long as it
 * still shows what it shows.
 *
 * @param until By `performance.now()`; then the simplest so far has to do.
 */
export async function simplify(
  whole: FuzzCase,
  shows: (fuzzCase: FuzzCase) => Promise<boolean>,
  until: number,
): Promise<FuzzCase> {
  let simplest = whole;
  for (let changed = true; changed; ) {
    changed = false;
    for (const candidate of simpler(simplest)) {
      if (performance.now() > until) return simplest;
      if (JSON.stringify(candidate) === JSON.stringify(simplest) || !(await shows(candidate))) continue;
      simplest = candidate;
      changed = true;
      break;
    }
  }
  return simplest;
}

/** What is a little simpler, the greatest steps first. */
function* simpler(fuzzCase: FuzzCase): Generator<FuzzCase> {
  const { connections, responses } = fuzzCase;
  if (responses.length > 0) yield { connections, responses: [] };
  let first = 0;
  for (const [index, connection] of connections.entries()) {
    const count = connection.requests.length;
    const without = responses.toSpliced(first, count);
    if (connections.length > 1) yield { connections: connections.toSpliced(index, 1), responses: without };
    for (let at = 0; at < count && count > 1; at++) {
      const requests = connection.requests.toSpliced(at, 1);
      const changed = connections.with(index, { ...connection, requests });
      yield { connections: changed, responses: responses.toSpliced(first + at, 1) };
    }
    first += count;
  }
  if (responses.length > first) yield { connections, responses: responses.slice(0, first) };
  for (const [index, response] of responses.entries()) {
    for (const changed of simplerResponses(response)) yield { connections, responses: responses.with(index, changed) };
  }
  for (const [index, connection] of connections.entries()) {
    for (const changed of simplerConnections(connection)) {
      yield { connections: connections.with(index, changed), responses };
    }
  }
}

function* simplerConnections(spec: ConnectionSpec): Generator<ConnectionSpec> {
  yield { ...spec, schedule: { size: 0, pause: 0, cut: null } };
  yield { ...spec, schedule: { ...spec.schedule, size: 0, pause: 0 } };
  yield { ...spec, serial: false };
  yield { ...spec, reading: "all" };
  yield { ...spec, ending: "wait" };
  yield { ...spec, hold: 0 };
  yield { ...spec, delay: 0 };
  for (const [index, request] of spec.requests.entries()) {
    for (const changed of simplerRequests(request)) yield { ...spec, requests: spec.requests.with(index, changed) };
  }
}

function* simplerRequests(spec: RequestSpec): Generator<RequestSpec> {
  if (spec.headers.length > 0) yield { ...spec, headers: [] };
  for (let index = 0; index < spec.headers.length && spec.headers.length > 1; index++) {
    yield { ...spec, headers: spec.headers.toSpliced(index, 1) };
  }
  yield { ...spec, version: "HTTP/1.1", host: "registry.example.com", lineEnd: "\r\n" };
  yield { ...spec, version: "HTTP/1.1" };
  yield { ...spec, host: "registry.example.com" };
  yield { ...spec, lineEnd: "\r\n" };
  const { framing, body } = spec;
  if (framing.exact && framing.lines.length > 0) yield { ...spec, framing: withLength };
  if (framing.fault !== null) yield { ...spec, framing: { ...framing, fault: null } };
  yield { ...spec, framing: { ...framing, last: "0\r\n\r\n" } };
  if (body.kind !== "filler") yield { ...spec, body: { ...body, kind: "filler" } };
  for (const size of [0, 1, 100, 10_000]) if (size < body.size) yield { ...spec, body: { ...body, size } };
}

function* simplerResponses(spec: ResponseSpec): Generator<ResponseSpec> {
  yield ordinaryResponse;
  yield { ...spec, interim: [] };
  if (spec.interim.length > 1) yield { ...spec, interim: spec.interim.slice(0, spec.interim.length / 2) };
  yield { ...spec, when: "body" };
  yield { ...spec, wait: 0 };
  yield { ...spec, size: 0 };
  yield { ...spec, tail: null };
  yield { ...spec, cut: null };
  yield { ...spec, ending: "keep" };
  yield { ...spec, lineEnd: "\r\n" };
  for (const marks of [0, 1, 50, 1000]) {
    if (marks < spec.body.marks) yield { ...spec, body: { ...spec.body, marks } };
  }
  if (spec.quality !== "odd") return;
  for (let index = 1; index < spec.head.length; index++) yield { ...spec, head: spec.head.toSpliced(index, 1) };
}
