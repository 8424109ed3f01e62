import type { Access, AuthBackend, Challenge, ChallengeContext } from "@registry-gate/auth";
import { expect, test, vi } from "vitest";
import { createAuthenticator } from "../../src/authenticate/create-authenticator.ts";
import { receivedRequest } from "../received-request.ts";

const accesses: readonly Access[] = [{ type: "repository", name: "team/app", action: "pull" }];
const client = { scheme: "https", host: "registry.example.com:5000" } as const;

function backend(challenge?: AuthBackend["challenge"]): AuthBackend {
  const authenticate = async () => ({ status: "abstained" }) as const;
  return challenge === undefined ? { id: "b", authenticate } : { id: "b", authenticate, challenge };
}

const bearer = vi.fn(
  (context: ChallengeContext): Challenge => ({
    scheme: "Bearer",
    parameters: { realm: `${context.origin}/v2/auth`, ...(context.error !== undefined && { error: context.error }) },
  }),
);

test("challenges for Basic once with the realm, for any number of backends", async () => {
  const request = await receivedRequest();
  const challenges = (realm?: string) =>
    createAuthenticator({ backends: [backend(), backend()], ...(realm !== undefined && { realm }) }).challenges(
      request,
      { accesses },
      client,
    );
  expect(challenges()).toEqual([{ scheme: "Basic", parameters: { realm: "Registry realm" } }]);
  expect(challenges("Own")).toEqual([{ scheme: "Basic", parameters: { realm: "Own" } }]);
});

test("passes the accesses, the error and the client's origin to a backend's challenge", async () => {
  const { challenges } = createAuthenticator({ backends: [backend(), backend(bearer)] });
  const wanted = { accesses, error: "insufficient_scope" } as const;
  expect(challenges(await receivedRequest(), wanted, client)).toEqual([
    { scheme: "Basic", parameters: { realm: "Registry realm" } },
    {
      scheme: "Bearer",
      parameters: { realm: "https://registry.example.com:5000/v2/auth", error: "insufficient_scope" },
    },
  ]);
  expect(bearer).toHaveBeenLastCalledWith({ ...wanted, origin: "https://registry.example.com:5000" });
});

test("reads the origin behind a trusted proxy, where the caller does not know it", async () => {
  const headers = [
    ["X-Forwarded-Proto", "https"],
    ["X-Forwarded-Host", "registry.example.com"],
  ] as const;
  const request = await receivedRequest({ headers, address: "10.0.0.1" });
  for (const [trustedProxies, origin] of [
    [["10.0.0.0/8"], "https://registry.example.com"],
    [[], `http://${request.headers.host}`],
  ] as const) {
    createAuthenticator({ backends: [backend(bearer)], trustedProxies }).challenges(request, { accesses });
    expect(bearer).toHaveBeenLastCalledWith({ accesses, origin });
  }
});

test("uses the configured challenge for backends without one, without duplicates", async () => {
  const { challenges } = createAuthenticator({ backends: [backend(), backend(bearer)], challenge: bearer });
  expect(challenges(await receivedRequest(), { accesses: [] }, client)).toEqual([
    { scheme: "Bearer", parameters: { realm: "https://registry.example.com:5000/v2/auth" } },
  ]);
});
