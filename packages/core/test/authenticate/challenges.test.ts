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

test("asks for Basic in the name of the realm", async () => {
  const request = await receivedRequest();
  const challengeIn = (realm?: string) =>
    createAuthenticator({ backends: [backend(), backend()], ...(realm !== undefined && { realm }) }).challenge(
      request,
      { accesses },
      client,
    );
  expect(challengeIn()).toEqual({ scheme: "Basic", parameters: { realm: "Registry realm" } });
  expect(challengeIn("Own")).toEqual({ scheme: "Basic", parameters: { realm: "Own" } });
});

test("tells a backend what is needed, what was wrong, and the origin that the client uses", async () => {
  const { challenge } = createAuthenticator({ backends: [backend(bearer), backend()] });
  const wanted = { accesses, error: "insufficient_scope" } as const;
  expect(challenge(await receivedRequest(), wanted, client)).toEqual({
    scheme: "Bearer",
    parameters: { realm: "https://registry.example.com:5000/v2/auth", error: "insufficient_scope" },
  });
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
    createAuthenticator({ backends: [backend(bearer)], trustedProxies }).challenge(request, { accesses });
    expect(bearer).toHaveBeenLastCalledWith({ accesses, origin });
  }
});

test("asks for Basic where only a later backend has a challenge, since docker takes the first alone", async () => {
  const { challenge } = createAuthenticator({ backends: [backend(), backend(bearer)] });
  expect(challenge(await receivedRequest(), { accesses: [] }, client)).toMatchObject({ scheme: "Basic" });
});

test("the option decides, whatever challenges the backends have", async () => {
  const own = (): Challenge => ({ scheme: "Basic", parameters: { realm: "Own" } });
  const { challenge } = createAuthenticator({ backends: [backend(bearer)], challenge: own });
  expect(challenge(await receivedRequest(), { accesses: [] }, client)).toEqual({
    scheme: "Basic",
    parameters: { realm: "Own" },
  });
});
