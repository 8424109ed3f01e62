import { readFile } from "node:fs/promises";
import { Strategy as SamlStrategy } from "@node-saml/passport-saml";
import { type Ask, authRequest, basicAsk, bearerAsk } from "@registry-gate/auth-testkit";
import { identityByFields, passportBackend } from "@registry-gate/passport";
import { SignJWT } from "jose";
import CustomStrategy from "passport-custom";
import { BasicStrategy } from "passport-http";
import { Strategy as BearerStrategy } from "passport-http-bearer";
import { ExtractJwt, Strategy as JwtStrategy } from "passport-jwt";
import { Strategy as LocalStrategy } from "passport-local";
import OpenIDConnectStrategy from "passport-openidconnect";
import { describe, expect, test } from "vitest";
import { makeCertificate } from "../../../test/support/certificate.ts";
import { identityOfPerson, personOf, summary, verify } from "./people.ts";

const alice = basicAsk("alice", "alice's canary");
const wrong = basicAsk("alice", "wrong canary");

describe("passport-http", async () => {
  const backend = await passportBackend({ strategy: new BasicStrategy(verify), identity: identityOfPerson });
  const told = async (ask: Ask) => summary(await backend.authenticate(authRequest(ask)));

  test("lets in, rejects, and abstains from another scheme, which it answers with its own challenge", async () => {
    expect(backend.id).toBe("basic");
    expect(await told(alice)).toBe("alice in pushers readers");
    expect(await told(wrong)).toBe("rejected");
    expect(await told(bearerAsk("a.token"))).toBe("abstained");
    expect(await told({})).toBe("abstained");
  });

  test("reads names and passwords beyond ASCII", async () => {
    const seen: string[] = [];
    const strategy = new BasicStrategy((username, password, done) => {
      seen.push(username, password);
      done(null, { login: username, teams: [] });
    });
    const umlauts = await passportBackend({ strategy, identity: identityOfPerson });
    await umlauts.authenticate(authRequest(basicAsk("änne", "pässwörd")));
    expect(seen).toEqual(["änne", "pässwörd"]);
  });
});

test("passport-local is asked with the login as a form, and finds none in a token", async () => {
  const backend = await passportBackend({ strategy: new LocalStrategy({}, verify), identity: identityOfPerson });
  const told = async (ask: Ask) => summary(await backend.authenticate(authRequest(ask)));
  expect(await told(alice)).toBe("alice in pushers readers");
  expect(await told(wrong)).toBe("rejected");
  expect(await told(bearerAsk("a.token"))).toBe("abstained");
});

test("passport-http-bearer tells a wrong token from none of its own", async () => {
  const strategy = new BearerStrategy((token, done) =>
    done(null, token === "right" && { login: "ci", teams: ["robots"] }, "the token has expired"),
  );
  const backend = await passportBackend({ strategy, identity: identityOfPerson });
  const told = async (ask: Ask) => summary(await backend.authenticate(authRequest(ask)));
  expect(await told(bearerAsk("right"))).toBe("ci in robots");
  expect(await told(bearerAsk("wrong"))).toBe("rejected");
  expect(await told(alice)).toBe("abstained");
});

describe("passport-jwt", async () => {
  const secret = "a canary of thirty-two characters";
  const strategy = new JwtStrategy(
    {
      secretOrKey: secret,
      algorithms: ["HS256"],
      issuer: "https://idp.example.com",
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
    },
    (payload, done) => done(null, payload),
  );
  const backend = await passportBackend({
    strategy,
    identity: ({ sub, exp }: { sub: string; exp: number }) => ({ username: sub, expiresAt: exp * 1000 }),
    schemes: ["bearer"],
  });
  const token = (expires: string, key = secret) =>
    new SignJWT({ sub: "alice" })
      .setProtectedHeader({ alg: "HS256" })
      .setIssuer("https://idp.example.com")
      .setExpirationTime(expires)
      .sign(new TextEncoder().encode(key));

  test("lets in for as long as the token holds", async () => {
    const result = await backend.authenticate(authRequest(bearerAsk(await token("5m"))));
    expect(result).toMatchObject({ status: "authenticated", identity: { username: "alice", groups: [] } });
    const seconds = result.status === "authenticated" ? ((result.expiresAt ?? 0) - Date.now()) / 1000 : 0;
    expect(seconds).toBeGreaterThan(200);
    expect(seconds).toBeLessThanOrEqual(300);
  });

  test("says why it rejects", async () => {
    const reason = async (ask: Ask) => backend.authenticate(authRequest(ask));
    expect(await reason(bearerAsk(await token("-1m")))).toEqual({
      status: "rejected",
      reason: "the strategy says: jwt expired",
    });
    expect(await reason(bearerAsk(await token("5m", "another canary of thirty-two chars")))).toMatchObject({
      reason: "the strategy says: invalid signature",
    });
    expect(await reason(bearerAsk("no.token.atall"))).toMatchObject({ status: "rejected" });
    expect(await reason(alice)).toEqual({ status: "abstained" });
  });
});

test("passport-custom reads a header of its own, and sees nothing else of the request", async () => {
  const seen: unknown[] = [];
  const strategy = new CustomStrategy((request, done) => {
    seen.push({ ...request.headers }, request.get("X-Api-Key"), request.ip, request.body, request.url);
    done(null, request.get("x-api-key") === "a canary" ? { user: { login: "robot" }, teams: ["ci"] } : false);
  });
  const backend = await passportBackend({
    strategy,
    identity: identityByFields({ username: "user.login", groups: "teams" }),
    credentialHeaders: ["x-api-key"],
  });
  const ask = (key: string): Ask => ({
    headers: { "x-api-key": [key], cookie: ["session=canary"], host: ["registry.example.com"] },
    peer: { address: "203.0.113.7", unixSocket: false },
  });
  expect(backend.credentialHeaders).toEqual(["x-api-key"]);
  expect(summary(await backend.authenticate(authRequest(ask("a canary"))))).toBe("robot in ci");
  expect(seen).toEqual([{ "x-api-key": "a canary" }, "a canary", "203.0.113.7", {}, "/"]);
  expect(summary(await backend.authenticate(authRequest(ask("another"))))).toBe("rejected");
  expect(await backend.authenticate(authRequest({ headers: { "x-api-key": ["a canary", "a canary"] } }))).toMatchObject(
    {
      status: "rejected",
      reason: "duplicate header x-api-key",
    },
  );
  seen.length = 0;
  expect(summary(await backend.authenticate(authRequest({ headers: { cookie: ["session=canary"] } })))).toBe(
    "abstained",
  );
  expect(seen).toEqual([]);
});

describe("a strategy that sends people to another page", () => {
  test("of @node-saml/passport-saml has nothing to say about a password", async () => {
    const { certificate } = await makeCertificate();
    const idpCert = await readFile(certificate, "utf8");
    const signIn = (_profile: unknown, done: (error: Error | null, user: Record<string, unknown>) => void): void =>
      done(null, { login: "alice" });
    const strategy = new SamlStrategy(
      { entryPoint: "https://idp.example.com/sso", issuer: "gate", callbackUrl: "https://gate/acs", idpCert },
      signIn,
      signIn,
    );
    const backend = await passportBackend({ strategy, identity: identityOfPerson });
    expect(await backend.authenticate(authRequest(alice))).toEqual({ status: "abstained" });
    expect(await backend.authenticate(authRequest(bearerAsk("a.token")))).toEqual({ status: "abstained" });
  });

  test("of passport-openidconnect has nothing to say about a password", async () => {
    const strategy = new OpenIDConnectStrategy(
      {
        issuer: "https://idp.example.com",
        authorizationURL: "https://idp.example.com/authorize",
        tokenURL: "https://idp.example.com/token",
        clientID: "gate",
        clientSecret: "canary",
        callbackURL: "https://gate/callback",
      },
      (_issuer, _profile, done) => done(null, personOf("alice", "alice's canary")),
    );
    const backend = await passportBackend({ strategy, identity: identityOfPerson });
    expect(await backend.authenticate(authRequest(alice))).toEqual({ status: "abstained" });
  });
});
