import type { RequestRecord } from "@registry-gate/core";
import { expect, test } from "vitest";
import type { AuditEvent } from "../src/audit/audit-event.ts";
import type { NotifiedAction } from "../src/config/sections/events.ts";
import { notifyOfRequests } from "../src/events/notify-of-requests.ts";

const push: RequestRecord = {
  requestId: "1",
  method: "PUT",
  operation: "put-manifest",
  repository: "team/app",
  reference: "latest",
  tags: undefined,
  digest: undefined,
  mediaType: undefined,
  origin: undefined,
  client: undefined,
  agent: undefined,
  username: "alice",
  attemptedUsername: undefined,
  loginRejected: false,
  backend: "htpasswd",
  principal: undefined,
  decision: "allowed",
  rule: undefined,
  issuedToken: undefined,
  phase: "respond",
  outcome: "completed",
  reason: "",
  status: 201,
  bytesReceived: 0,
  bytesSent: 0,
  milliseconds: 1,
  gateMilliseconds: 1,
  upstreamMilliseconds: undefined,
  cache: undefined,
  announced: false,
};
const pull: RequestRecord = { ...push, method: "GET", operation: "get-manifest", status: 200 };
const remove: RequestRecord = { ...push, method: "DELETE", operation: "delete-manifest", status: 202 };
const head: RequestRecord = { ...pull, method: "HEAD" };
const blob: RequestRecord = { ...pull, operation: "get-blob" };
const missing: RequestRecord = { ...pull, status: 404 };

const endpoint = { url: "https://events.example.com/", secretFile: "secret" };

/** What a sink is told of, where endpoints ask for these actions. */
function toldOf(asked: readonly (readonly NotifiedAction[] | undefined)[]): readonly string[] {
  const told: AuditEvent[] = [];
  const endpoints = asked.map((on) => (on === undefined ? endpoint : { ...endpoint, on }));
  const { onFinished } = notifyOfRequests(endpoints, { accept: async (event) => void told.push(event) });
  for (const record of [push, pull, remove, head, blob, missing]) onFinished(record);
  return told.map(({ event }) => event);
}

test("a sink is told of what an endpoint asks for, and of nothing else", () => {
  expect(toldOf([undefined])).toEqual(["push", "delete"]);
  expect(toldOf([["push"], ["pull"]])).toEqual(["push", "pull"]);
  expect(toldOf([["delete"]])).toEqual(["delete"]);
  expect(toldOf([[]])).toEqual([]);
});
