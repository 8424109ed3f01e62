import type { Access, Challenge } from "@registry-gate/auth";
import { expect, test } from "vitest";
import * as responses from "../../src/respond/responses.ts";

const pull: readonly Access[] = [{ type: "repository", name: "team/app", action: "pull" }];

test("a 401 asks for what its challenge says", () => {
  const challenge: Challenge = {
    scheme: "Bearer",
    parameters: { realm: "https://token.example.com", scope: "repository:team/app:pull" },
  };
  expect(responses.unauthorized(challenge, pull)).toEqual({
    status: 401,
    code: "UNAUTHORIZED",
    message: "authentication required",
    headers: {
      "WWW-Authenticate": 'Bearer realm="https://token.example.com",scope="repository:team/app:pull"',
    },
    accesses: pull,
  });
});

test("denied and missing resources get the same message, with the required accesses", () => {
  expect(responses.denied(pull)).toEqual({
    status: 403,
    code: "DENIED",
    message: "requested access to the resource is denied",
    accesses: pull,
  });
});

test("the refusal names the immutable tag", () => {
  expect(responses.immutable("v1")).toMatchObject({
    status: 403,
    code: "DENIED",
    message: expect.stringContaining("v1"),
  });
});

test("a 405 names the supported methods", () => {
  const refusal = { status: 405, code: "UNSUPPORTED", message: "the operation is unsupported" } as const;
  expect(responses.refused({ ...refusal, allow: ["GET", "HEAD"] }).headers).toEqual({ Allow: "GET, HEAD" });
  expect(responses.refused(refusal)).toEqual(refusal);
});

test.each([
  ["a backend that is down", responses.backendUnavailable, 503, "UNAVAILABLE"],
  ["a registry that cannot be reached", responses.upstreamUnreachable, 502, "UNAVAILABLE"],
  ["a registry that says nothing", responses.upstreamSilent, 504, "UNAVAILABLE"],
  ["two users in one request", responses.conflictingIdentities, 400, "UNSUPPORTED"],
  ["a body that was read already", responses.bodyAlreadyRead, 500, "UNKNOWN"],
  ["a mistake of the gate", responses.internalError, 500, "UNKNOWN"],
  ["nothing", responses.notFound, 404, "UNSUPPORTED"],
])("the error response for %s has its status and code", (_, response, status, code) => {
  expect(response).toMatchObject({ status, code });
});

test("a 503 for an unavailable backend has Retry-After", () => {
  expect(responses.backendUnavailable.headers?.["Retry-After"]).toMatch(/^\d+$/);
});
