import type { Access, Challenge } from "@registry-gate/auth";
import { expect, test } from "vitest";
import * as answers from "../../src/respond/answers.ts";

const pull: readonly Access[] = [{ type: "repository", name: "team/app", action: "pull" }];

test("a 401 asks for what its challenges say, a line for each", () => {
  const challenges: readonly Challenge[] = [
    { scheme: "Basic", parameters: { realm: "Registry realm" } },
    { scheme: "Bearer", parameters: { realm: "https://token.example.com", scope: "repository:team/app:pull" } },
  ];
  expect(answers.unauthorized(challenges, pull)).toEqual({
    status: 401,
    code: "UNAUTHORIZED",
    message: "authentication required",
    headers: {
      "WWW-Authenticate": [
        'Basic realm="Registry realm"',
        'Bearer realm="https://token.example.com",scope="repository:team/app:pull"',
      ],
    },
    accesses: pull,
  });
});

test("what is denied and what is missing are told in the same words, with what would have to be allowed", () => {
  expect(answers.denied(pull)).toEqual({
    status: 403,
    code: "DENIED",
    message: "requested access to the resource is denied",
    accesses: pull,
  });
});

test("a tag that must stay is named in the refusal", () => {
  expect(answers.immutable("v1")).toMatchObject({
    status: 403,
    code: "DENIED",
    message: expect.stringContaining("v1"),
  });
});

test("a refusal names the methods that are known, where that is what is wrong", () => {
  const refusal = { status: 405, code: "UNSUPPORTED", message: "the operation is unsupported" } as const;
  expect(answers.refused({ ...refusal, allow: ["GET", "HEAD"] }).headers).toEqual({ Allow: "GET, HEAD" });
  expect(answers.refused(refusal)).toEqual(refusal);
});

test.each([
  ["a backend that is down", answers.backendUnavailable, 503, "UNAVAILABLE"],
  ["a registry that cannot be reached", answers.upstreamUnreachable, 502, "UNAVAILABLE"],
  ["a registry that says nothing", answers.upstreamSilent, 504, "UNAVAILABLE"],
  ["two users in one request", answers.conflictingIdentities, 400, "UNSUPPORTED"],
  ["a body that was read already", answers.bodyAlreadyRead, 500, "UNKNOWN"],
  ["a mistake of the gate", answers.internalError, 500, "UNKNOWN"],
  ["nothing", answers.notFound, 404, "UNSUPPORTED"],
])("the answer for %s has its status and code", (_, answer, status, code) => {
  expect(answer).toMatchObject({ status, code });
});

test("a client is told when to try again where a backend is down", () => {
  expect(answers.backendUnavailable.headers?.["Retry-After"]).toMatch(/^\d+$/);
});
