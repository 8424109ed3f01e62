import type { Access, AuthBackend, Challenge } from "@registry-gate/auth";
import { describe, expect, test, vi } from "vitest";
import * as answers from "../../src/answer/answers.ts";

const pull: readonly Access[] = [{ type: "repository", name: "team/app", action: "pull" }];

function backend(challenge?: AuthBackend["challenge"]): AuthBackend {
  const authenticate = async () => ({ status: "abstained" }) as const;
  return challenge === undefined ? { id: "b", authenticate } : { id: "b", authenticate, challenge };
}

describe("a 401", () => {
  const challenges = (...backends: AuthBackend[]) =>
    answers.unauthorized(backends, "Registry realm", pull).headers?.["WWW-Authenticate"];

  test("asks for Basic in the name of the realm, once, however many backends take it", () => {
    expect(answers.unauthorized([backend(), backend()], "Registry realm", pull)).toEqual({
      status: 401,
      code: "UNAUTHORIZED",
      message: "authentication required",
      headers: { "WWW-Authenticate": ['Basic realm="Registry realm"'] },
      accesses: pull,
    });
  });

  test("asks for what each backend wants, by what the request needs", () => {
    const challenge = vi.fn(
      (accesses: readonly Access[]): Challenge => ({
        scheme: "Bearer",
        parameters: {
          realm: "https://token.example.com",
          scope: accesses.map(({ name, action }) => `repository:${name}:${action}`).join(" "),
        },
      }),
    );
    expect(challenges(backend(), backend(challenge))).toEqual([
      'Basic realm="Registry realm"',
      'Bearer realm="https://token.example.com",scope="repository:team/app:pull"',
    ]);
    expect(challenge).toHaveBeenCalledWith(pull);
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
