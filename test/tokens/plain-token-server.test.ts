import { describe, expect, it } from "vitest";
import type { TokenSettings } from "../support/docker-registry.ts";
import { startDistribution3, startDockerRegistry2 } from "./registries.ts";
import { service, startTokenServer, type TokenServer } from "./token-server.ts";

const rsa = ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
const ec = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];

const byCertificate = ({ realm, certificate }: TokenServer): TokenSettings => ({
  realm,
  service,
  issuer: "registry-gate",
  rootcertbundle: certificate,
});
const byKeys = ({ realm, jwks }: TokenServer): TokenSettings => ({ realm, service, issuer: "registry-gate", jwks });

/** What a registry with `auth.token` does with tokens of ours. */
async function expectAccepted(url: string, server: TokenServer): Promise<void> {
  const send = async (token: string | undefined, path: string, method = "GET"): Promise<number> => {
    const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    return (await fetch(`${url}/v2/${path}`, { method, headers })).status;
  };
  const push = await server.token(["repository:team/app:pull,push"], "alice");
  const pull = await server.token(["repository:team/app:pull"], "alice");
  const nobody = await server.token(["repository:team/app:pull,push", "repository:public/base:pull"]);

  expect(await send(undefined, "")).toBe(401);
  expect(await send(push, "")).toBe(200);
  expect(await send(push, "team/app/blobs/uploads/", "POST")).toBe(202);
  expect(await send(pull, "team/app/blobs/uploads/", "POST")).toBe(401);
  expect(await send(push, "team/other/blobs/uploads/", "POST")).toBe(401);
  // Nothing is there: the token was good for it.
  expect(await send(pull, "team/app/tags/list")).toBe(404);
  expect(await send(nobody, "public/base/tags/list")).toBe(404);
  expect(await send(nobody, "team/app/tags/list")).toBe(401);
  expect(await send(`${push.slice(0, -4)}AAAA`, "")).toBe(401);
}

describe("docker-registry 2.8", () => {
  it.each([
    ["RS256", rsa],
    ["ES256", ec],
  ])("takes tokens of %s, whose key is named as libtrust does", async (_, openssl) => {
    const server = await startTokenServer({ openssl, keyId: "libtrust" });
    await expectAccepted(await startDockerRegistry2(byCertificate(server)), server);
  });
});

describe("distribution 3.1", () => {
  it.each(["EdDSA", "ES256", "RS256"] as const)("takes tokens of %s by the public keys", async (algorithm) => {
    const server = await startTokenServer({ algorithm });
    await expectAccepted(await startDistribution3(byKeys(server)), server);
  });

  it("takes tokens of RS256 by a certificate", async () => {
    const server = await startTokenServer({ openssl: rsa });
    await expectAccepted(await startDistribution3(byCertificate(server)), server);
  });
});
