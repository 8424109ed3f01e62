import type { RequestRecord } from "@registry-gate/core";
import { expect, test } from "vitest";
import { requestLine } from "../src/log/request-line.ts";

const logged = {
  requestId: "1",
  method: "GET",
  operation: "ping",
  repository: undefined,
  reference: undefined,
  client: "192.0.2.1",
  username: "alice",
  attemptedUsername: undefined,
  backend: "tokens",
  decision: "allowed",
  phase: "respond",
  outcome: "completed",
  reason: "authenticated",
  status: 200,
  bytesReceived: 0,
  bytesSent: 2,
  milliseconds: 1,
  gateMilliseconds: 0.4,
  upstreamMilliseconds: 0.6,
  cache: "hit",
} as const;
const record: Omit<RequestRecord, "principal"> = {
  ...logged,
  tags: undefined,
  digest: undefined,
  mediaType: undefined,
  origin: "http://127.0.0.1:5043",
  agent: "docker/28.0",
  rule: 1,
  loginRejected: false,
  issuedToken: undefined,
  announced: false,
};
const identity = { subject: "alice", username: "alice", groups: ["a", "b"], backend: "tokens" };

test("a line of the log says how the user is known and what the token is for, and no groups", () => {
  const grants = [{ type: "repository", name: "team/app", action: "pull" }] as const;
  const line = requestLine({ ...record, principal: { kind: "user", identity, via: "bearer", grants } });
  expect(line).toEqual({ event: "request", ...logged, via: "bearer", grants });
});

test("logs no user for an anonymous request", () => {
  for (const principal of [undefined, { kind: "anonymous" } as const]) {
    expect(requestLine({ ...record, principal })).toEqual({ event: "request", ...logged });
  }
});
