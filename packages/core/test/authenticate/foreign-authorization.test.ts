import type { IncomingMessage } from "node:http";
import type { AuthBackend, AuthRequest, AuthResult } from "@registry-gate/auth";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { attemptedUsername } from "../../src/authenticate/attempted-username.ts";
import { createAuthenticator } from "../../src/authenticate/create-authenticator.ts";
import { foreignAuthorization } from "../../src/authenticate/foreign-authorization.ts";
import { receivedRequest } from "../received-request.ts";

const encoded = (login: string): string => Buffer.from(login).toString("base64");
const address = "203.0.113.7";
const never = (): AbortSignal => new AbortController().signal;
const alice = { subject: "alice", username: "alice", groups: [], backend: "portal" };

/** Knows whoever is named in a header, as behind a front that signs people in. */
function portal(): AuthBackend & { authenticate: ReturnType<typeof vi.fn> } {
  return {
    id: "portal",
    credentialHeaders: ["x-user"],
    authenticate: vi.fn(async (request: AuthRequest): Promise<AuthResult> => {
      const [username] = request.header("x-user");
      return username === undefined
        ? { status: "abstained" }
        : { status: "authenticated", identity: { ...alice, username } };
    }),
  };
}

async function verdictOn(authorization: string, more: readonly (readonly [string, string])[] = [], backend = portal()) {
  const { authenticate } = createAuthenticator({ backends: [backend] });
  const headers = [["Authorization", authorization] as const, ...more];
  return authenticate(await receivedRequest({ headers }), never, { address });
}

const left: readonly [string, string][] = [
  ["Negotiate YIIZ8wYGKwYBBQUCoIIZ5zCC", "no backend knows the scheme Negotiate of the Authorization header"],
  ["Negotiate", "no backend knows the scheme Negotiate of the Authorization header"],
  ["NTLM TlRMTVNTUAABAAAA", "no backend knows the scheme NTLM of the Authorization header"],
  ['Digest username="alice", nonce="n"', "no backend knows the scheme Digest of the Authorization header"],
  ["AWS4-HMAC-SHA256 Credential=a", "no backend knows the scheme AWS4-HMAC-SHA256 of the Authorization header"],
  [`Basic ${encoded("alice:")}`, "the Basic login has an empty password"],
  [`basic ${encoded("some-subject:")}`, "the Basic login has an empty password"],
];

describe("an Authorization header of a proxy in front", () => {
  test.each(left)("does not block a user named by a trusted header: %s", async (authorization) => {
    const backend = portal();
    expect(await verdictOn(authorization, [["X-User", "alice"]], backend)).toMatchObject({
      outcome: "authenticated",
      principal: { identity: { username: "alice" } },
    });
    expect(backend.authenticate.mock.calls[0]?.[0].credentials).toBeUndefined();
  });

  test.each(left)("never makes the caller anonymous, and is named in the reason: %s", async (authorization, reason) => {
    expect(await verdictOn(authorization)).toEqual({ outcome: "rejected", reason });
  });

  test("does not block a user of the app's session, and nothing is cached", async () => {
    const session = ({ headers }: IncomingMessage) => (headers.cookie ? alice : undefined);
    const { authenticate } = createAuthenticator({ backends: [portal()], session });
    const negotiate = ["Authorization", "Negotiate YIIZ"] as const;
    const inSession = await receivedRequest({ headers: [negotiate, ["Cookie", "s=1"]] });
    expect(await authenticate(inSession, never, { address })).toMatchObject({
      outcome: "authenticated",
      principal: { via: "session" },
    });
    expect(await authenticate(await receivedRequest({ headers: [negotiate] }), never, { address })).toMatchObject({
      outcome: "rejected",
    });
  });

  test("does not hide an unavailable backend", async () => {
    const down = { id: "down", authenticate: () => Promise.reject(new Error("down")) };
    const { authenticate } = createAuthenticator({ backends: [down] });
    const request = await receivedRequest({ headers: [["Authorization", "NTLM TlRM"]] });
    expect(await authenticate(request, never, { address })).toMatchObject({ outcome: "unavailable" });
  });
});

describe("an Authorization header that is malformed", () => {
  const malformed = [
    "",
    "Basic",
    `Basic ${encoded(":secret")}`,
    `Basic ${encoded("alice")}`,
    `Basic ${encoded("alice:")}x`,
    "Bearer a b",
    // A token without a scheme must not come into the log as one.
    "canary-0f5c2c1b8c5f",
    "glpat-canary",
    `${"x".repeat(33)} canary`,
    "canary=1 x",
    "Bäsic canary",
  ];

  test.each(malformed)("is rejected without quoting it: %j", async (authorization) => {
    const backend = portal();
    expect(await verdictOn(authorization, [["X-User", "alice"]], backend)).toEqual({
      outcome: "rejected",
      reason: "the Authorization header is malformed",
      malformed: true,
    });
    expect(backend.authenticate).not.toHaveBeenCalled();
  });
});

test("the log gets at most a printable scheme of 32 characters of any header", () => {
  const header = fc.oneof(fc.string(), fc.tuple(fc.string(), fc.constantFrom(" ", "  "), fc.string()));
  fc.assert(
    fc.property(header, (value) => {
      const reason = foreignAuthorization(Array.isArray(value) ? value.join("") : value);
      if (reason === undefined || reason === "the Basic login has an empty password") return;
      expect(reason).toMatch(/^no backend knows the scheme [A-Za-z][A-Za-z0-9-]{0,31} of the Authorization header$/);
    }),
    { numRuns: 5000 },
  );
});

test("the username of a login with an empty password is recorded, like that of any rejected login", async () => {
  const named = async (login: string): Promise<string | undefined> =>
    attemptedUsername(await receivedRequest({ headers: [["Authorization", `Basic ${encoded(login)}`]] }));
  expect(await named("alice:")).toBe("alice");
  expect(await named(`alice:${"t".repeat(15_000)}`)).toBe("alice");
  expect(await named("al\u202eice:canary")).toBe("al\\u{202e}ice");
  expect(await named("canary")).toBeUndefined();
  expect(await named(":canary")).toBeUndefined();
});
