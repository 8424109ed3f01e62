import type { AuthResult } from "@registry-gate/auth";
import { type SsoJwtOptions, ssoJwtBackend } from "@registry-gate/auth-sso";
import { CompactSign, exportSPKI } from "jose";
import { beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { ask } from "./fixtures.ts";
import { type KeyServer, keyServer, now, type SigningKey, signingKey, tokenOf } from "./issuer.ts";

let es: SigningKey;
let rs: SigningKey;
beforeAll(async () => {
  [es, rs] = await Promise.all([signingKey("k1"), signingKey("r1", "RS256")]);
});

const signer = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/portal/50dc6c495c0c9188";

interface Case {
  readonly options: SsoJwtOptions;
  readonly header?: string;
  readonly key: () => SigningKey;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly identity: object;
}

const cases: Readonly<Record<string, Case>> = {
  "cloudflare-access": {
    options: { issuer: "https://acme.cloudflareaccess.com", audience: "4714c1358e65fe4b408ad6d432a5f878" },
    header: "Cf-Access-Jwt-Assertion",
    key: () => rs,
    claims: {
      iss: "https://acme.cloudflareaccess.com",
      aud: ["4714c1358e65fe4b408ad6d432a5f878"],
      email: "alice@example.com",
      sub: "7335d417",
      type: "app",
    },
    identity: { username: "alice@example.com", subject: "7335d417" },
  },
  "google-iap": {
    options: { audience: "/projects/1/global/backendServices/2" },
    header: "X-Goog-Iap-Jwt-Assertion",
    key: () => es,
    claims: {
      iss: "https://cloud.google.com/iap",
      aud: "/projects/1/global/backendServices/2",
      email: "alice@example.com",
      sub: "accounts.google.com:1",
    },
    identity: { username: "alice@example.com", subject: "accounts.google.com:1" },
  },
  pomerium: {
    options: { issuer: "registry.example.com", audience: "registry.example.com" },
    header: "X-Pomerium-Jwt-Assertion",
    key: () => es,
    claims: {
      iss: "registry.example.com",
      aud: "registry.example.com",
      email: "alice@example.com",
      groups: ["pushers"],
    },
    identity: { username: "alice@example.com", groups: ["pushers"] },
  },
  "github-actions": {
    options: { audience: "registry.example.com", requiredClaims: { repository_owner: "acme" }, extraGroups: ["ci"] },
    key: () => rs,
    claims: {
      iss: "https://token.actions.githubusercontent.com",
      aud: "registry.example.com",
      sub: "repo:acme/app:ref:refs/heads/main",
      repository: "acme/app",
      repository_owner: "acme",
      ref: "refs/heads/main",
    },
    identity: { username: "acme/app", subject: "repo:acme/app:ref:refs/heads/main", groups: ["ci"] },
  },
  gitlab: {
    options: { audience: "registry.example.com", requiredClaims: { project_path: "acme/**" }, usernamePrefix: "ci:" },
    key: () => rs,
    claims: {
      iss: "https://gitlab.com",
      aud: "registry.example.com",
      sub: "project_path:acme/team/app:ref_type:branch:ref:main",
      project_path: "acme/team/app",
      namespace_path: "acme/team",
    },
    identity: { username: "ci:acme/team/app" },
  },
};

test.each(Object.entries(cases))(
  "the tokens of %s are known",
  async (name, { options, header, key, claims, identity }) => {
    const preset = name as NonNullable<SsoJwtOptions["preset"]>;
    const backend = await ssoJwtBackend({ preset, ...options, jwks: (await keyServer(es, rs)).url });
    const token = await tokenOf(key(), claims);
    expect(
      await ask(
        backend,
        header === undefined
          ? { credentials: { scheme: "basic", username: "oauth2", password: token } }
          : { headers: { [header]: token } },
      ),
    ).toMatchObject({ status: "authenticated", identity });
    const other = key() === es ? rs : es;
    expect(await ask(backend, { credentials: { scheme: "bearer", token: await tokenOf(other, claims) } })).toEqual({
      status: "rejected",
      reason: "the token's algorithm is not allowed",
    });
  },
);

test("without further options a preset knows where the keys are", async () => {
  for (const [name, { options }] of Object.entries(cases)) {
    const backend = await ssoJwtBackend({ preset: name as NonNullable<SsoJwtOptions["preset"]>, ...options });
    await backend.close?.();
  }
  await (
    await ssoJwtBackend({ preset: "aws-alb", signer, issuer: "https://idp.example.com", audience: "c" })
  ).close?.();
});

/** A token as a load balancer of AWS makes it: each segment is padded, and the signature is over the padded text. */
async function paddedToken(
  claims: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
): Promise<string> {
  const pad = (text: string): string => text + "=".repeat((4 - (text.length % 4)) % 4);
  const segment = (value: unknown): string => pad(Buffer.from(JSON.stringify(value)).toString("base64url"));
  const issuer = "https://idp.example.com";
  const head = { typ: "JWT", alg: "ES256", kid: "0f5c2c1b-8c5f", signer, iss: issuer, client: "client-1", ...header };
  const input = `${segment(head)}.${segment({ sub: "user-1", email: "alice@example.com", iss: issuer, exp: now() + 120, ...claims })}`;
  const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, es.privateKey, Buffer.from(input));
  return `${input}.${pad(Buffer.from(signature).toString("base64url"))}`;
}

async function loadBalancer(): Promise<{
  server: KeyServer;
  asked: string[];
  send: (token: string, client?: string) => Promise<AuthResult>;
}> {
  const server = await keyServer();
  const asked: string[] = [];
  const pem = await exportSPKI(es.publicKey);
  server.answer(({ url = "" }, response) => {
    asked.push(url);
    if (url.endsWith("/0f5c2c1b-8c5f")) response.end(pem);
    else response.writeHead(url.endsWith("/broken") ? 500 : 403).end();
  });
  const backend = await ssoJwtBackend(
    {
      preset: "aws-alb",
      signer,
      issuer: "https://idp.example.com",
      audience: "client-1",
      keyUrl: `${server.url}/{kid}`,
      groupsClaim: "custom:groups",
    },
    { id: "alb" },
  );
  onTestFinished(() => backend.close?.());
  return {
    server,
    asked,
    send: (token, address = "10.1.0.7") =>
      ask(backend, { headers: { "X-Amzn-Oidc-Data": token }, peer: { address, unixSocket: false } }),
  };
}

test("the padded tokens of a load balancer are known, with one question for each of its keys", async () => {
  const { send, asked } = await loadBalancer();
  const token = await paddedToken({ "custom:groups": '["a, b","c"]' });
  expect(token).toContain("=.");
  for (let round = 0; round < 3; round++) {
    expect(await send(token)).toMatchObject({
      status: "authenticated",
      identity: { username: "alice@example.com", groups: ["a, b", "c"], backend: "alb" },
    });
  }
  expect(asked).toEqual(["/jwks/0f5c2c1b-8c5f"]);
});

test.each<[string, Record<string, unknown>, Record<string, unknown>, string]>([
  [
    "of another load balancer",
    {},
    { signer: signer.replace("portal", "evil") },
    "the token was signed by another load balancer",
  ],
  ["that names no load balancer", {}, { signer: undefined }, "the token was signed by another load balancer"],
  ["for another client", {}, { client: "client-2" }, "the token is for another client"],
  ["of another issuer", { iss: "https://evil.example.com" }, {}, "the token is of another issuer"],
  ["that has expired", { exp: 1 }, {}, "the token has expired"],
  ["of an unknown key", {}, { kid: "aaaa" }, "the token is signed with a key that the issuer does not have"],
  ["whose kid is a path", {}, { kid: "../../evil" }, "the token is signed with a key that the issuer does not have"],
  ["without kid", {}, { kid: undefined }, "the token is signed with a key that the issuer does not have"],
])("a load balancer's token %s is rejected", async (_, claims, header, reason) => {
  const { send, asked } = await loadBalancer();
  expect(await send(await paddedToken(claims, header))).toEqual({ status: "rejected", reason });
  expect(asked.every((url) => /^\/jwks\/[a-f0-9-]+$/.test(url))).toBe(true);
});

test("a load balancer's token that was changed is rejected", async () => {
  const { send } = await loadBalancer();
  const [head, , signature] = (await paddedToken()).split(".");
  const payload = (await paddedToken({ email: "boss@example.com" })).split(".")[1];
  expect(await send(`${head}.${payload}.${signature}`)).toEqual({
    status: "rejected",
    reason: "the token's signature is wrong",
  });
});

test("names of keys that are made up cannot make the gate ask for more than a few, nor push a key out", async () => {
  const { send, asked } = await loadBalancer();
  const real = performance.now.bind(performance);
  let ahead = 0;
  const spy = vi.spyOn(performance, "now").mockImplementation(() => real() + ahead);
  onTestFinished(() => spy.mockRestore());
  const good = await paddedToken();
  expect(await send(good)).toMatchObject({ status: "authenticated" });
  for (let round = 0; round < 6; round++) {
    ahead += 30_000;
    const before = asked.length;
    const names = Array.from({ length: 100 }, (_, n) => `made-up-${round}-${n}`);
    const results = await Promise.allSettled(
      names.map(async (kid, n) => send(await paddedToken({}, { kid }), `192.0.2.${n}`)),
    );
    expect(asked.length - before).toBe(64);
    expect(results.filter(({ status }) => status === "rejected")).toHaveLength(36);
    expect(await send(good)).toMatchObject({ status: "authenticated" });
  }
  expect(asked.filter((url) => url.endsWith("/0f5c2c1b-8c5f"))).toHaveLength(1);
});

test("names of keys that one network makes up keep nobody else's key from being asked for", async () => {
  const { send, asked } = await loadBalancer();
  const names = Array.from({ length: 100 }, (_, n) => `made-up-${n}`);
  const results = await Promise.allSettled(
    names.map(async (kid, n) => send(await paddedToken({}, { kid }), `2001:db8::${n}`)),
  );
  expect(results.filter(({ status }) => status === "rejected")).toHaveLength(92);
  expect(asked).toHaveLength(8);
  expect(await send(await paddedToken(), "2001:db8:0:1::1")).toMatchObject({ status: "authenticated" });
});

test("keys that cannot be had make it unavailable", async () => {
  const { send, server } = await loadBalancer();
  await expect(send(await paddedToken({}, { kid: "broken" }))).rejects.toMatchObject({ code: "BACKEND_UNAVAILABLE" });
  server.answer((_, response) => void response.end("<html>"));
  await expect(send(await paddedToken())).rejects.toMatchObject({
    message: expect.stringContaining("not a public key in PEM"),
  });
});

test("a token of claims that are no object is rejected", async () => {
  const { jwks } = { jwks: (await keyServer(es)).url };
  const backend = await ssoJwtBackend({ jwks, issuer: "i", audience: "a" });
  const token = await new CompactSign(Buffer.from("[1]")).setProtectedHeader({ alg: "ES256" }).sign(es.privateKey);
  expect(await ask(backend, { credentials: { scheme: "bearer", token } })).toEqual({
    status: "rejected",
    reason: "the token holds no claims",
  });
});
