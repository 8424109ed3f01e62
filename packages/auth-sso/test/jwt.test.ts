import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import fc from "fast-check";
import { exportSPKI } from "jose";
import { beforeAll, expect, test } from "vitest";
import { ask, basic } from "./fixtures.ts";
import {
  asserting,
  bearing,
  goodClaims,
  keyServer,
  loggingIn,
  now,
  openJwt,
  type SigningKey,
  signingKey,
  tokenOf,
} from "./issuer.ts";

const ABSTAINED = { status: "abstained" };
let key: SigningKey;
let rsa: SigningKey;
let stranger: SigningKey;

beforeAll(async () => {
  [key, rsa, stranger] = await Promise.all([signingKey("k1"), signingKey("r1", "RS256"), signingKey("k1")]);
});

const open = async (options = {}) => openJwt({ jwks: (await keyServer(key, rsa)).url, ...options });

function rejected(reason: string): object {
  return { status: "rejected", reason };
}

function segment(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

test("a token in the header, as Bearer and as a password names its user, until it expires", async () => {
  const { backend } = await open({ groupsClaim: "groups" });
  const exp = now() + 120;
  const token = await tokenOf(key, { exp, groups: ["pushers", "staff"], email: "alice@example.com", name: "Zoë" });
  const authenticated = {
    status: "authenticated",
    identity: {
      subject: "user-1",
      username: "alice",
      groups: ["pushers", "staff"],
      backend: "idp",
      claims: { email: "alice@example.com", name: "Zoë" },
    },
    expiresAt: exp * 1000,
  };
  expect(await asserting(backend, token)).toEqual(authenticated);
  expect(await bearing(backend, token)).toEqual(authenticated);
  expect(await loggingIn(backend, "oauth2", token)).toEqual(authenticated);
  expect(await loggingIn(backend, "alice", token)).toEqual(authenticated);
  expect(backend.credentialHeaders).toEqual(["x-assertion"]);
  expect(backend.challenge).toBeUndefined();
  await backend.check?.(new AbortController().signal);
});

test.each(["RS256", "PS512", "ES384", "ES512", "EdDSA", "Ed25519"] as const)("%s can be allowed", async (alg) => {
  const other = await signingKey("other", alg);
  const { backend } = await openJwt({ jwks: (await keyServer(other)).url, algorithms: [alg] });
  expect(await bearing(backend, await tokenOf(other))).toMatchObject({ status: "authenticated" });
});

test("it abstains from whatever does not have the form of a signed token, so that others can judge it", async () => {
  const { backend } = await open();
  expect(await ask(backend, {})).toEqual(ABSTAINED);
  const texts = [
    "correct horse",
    "a.b.c",
    "eyJ.e30.x",
    `${segment({ typ: "JWT" })}.e30.x`,
    "..",
    "a.b.c.d.e",
    "ghp_abc",
  ];
  for (const text of [...texts, `${segment(["alg"])}.e30.x`, `${segment({ alg: 1 })}.e30.x`]) {
    expect(await bearing(backend, text)).toEqual(ABSTAINED);
    expect(await loggingIn(backend, "alice", text)).toEqual(ABSTAINED);
  }
});

test("ways in that are turned off are not looked at", async () => {
  const token = await tokenOf(key);
  const { backend } = await open({ bearer: false, basic: false });
  expect(await bearing(backend, token)).toEqual(ABSTAINED);
  expect(await loggingIn(backend, "oauth2", token)).toEqual(ABSTAINED);
  expect(await asserting(backend, token)).toMatchObject({ status: "authenticated" });
});

test("beside a token only the accepted user names and the token's own may stand", async () => {
  const { backend } = await open();
  const token = await tokenOf(key);
  const wrong = rejected("the token does not belong to the user name of the login");
  for (const name of ["bob", "Alice", "OAUTH2", "user-1"]) expect(await loggingIn(backend, name, token)).toEqual(wrong);

  const { backend: strict } = await open({ basicUsernames: [] });
  expect(await loggingIn(strict, "oauth2", token)).toEqual(wrong);
  expect(await loggingIn(strict, "alice", token)).toMatchObject({ status: "authenticated" });
});

test.each<[string, (good: string) => Promise<string> | string, string]>([
  [
    "without a signature",
    (good) => `${segment({ alg: "none" })}.${good.split(".")[1]}.`,
    "the token's algorithm is not allowed",
  ],
  [
    "whose algorithm is None in capitals",
    (good) => `${segment({ alg: "NONE" })}.${good.split(".")[1]}.`,
    "the token's algorithm is not allowed",
  ],
  [
    "signed by HMAC with the public key as the secret",
    async (good) => {
      const input = `${segment({ alg: "HS256", kid: "r1" })}.${good.split(".")[1]}`;
      const secret = await exportSPKI(rsa.publicKey);
      return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
    },
    "the token's algorithm is not allowed",
  ],
  [
    "of an algorithm that is not pinned",
    async () => tokenOf(await signingKey("r1", "PS256")),
    "the token's algorithm is not allowed",
  ],
  [
    "that names a key of another kind",
    () => tokenOf(key, {}, { kid: "r1" }),
    "the token is signed with a key that the issuer does not have",
  ],
  [
    "with a foreign kid",
    () => tokenOf(stranger, {}, { kid: "k2" }),
    "the token is signed with a key that the issuer does not have",
  ],
  ["of a stranger under a known kid", () => tokenOf(stranger), "the token's signature is wrong"],
  [
    "of a stranger that embeds its key",
    () => tokenOf(stranger, {}, { jwk: stranger.jwk }),
    "the token's signature is wrong",
  ],
  [
    "of a stranger that embeds a certificate",
    () => tokenOf(stranger, {}, { x5c: ["MIIB"] }),
    "the token's signature is wrong",
  ],
  [
    "with critical extensions",
    (good) => `${segment({ alg: "ES256", kid: "k1", crit: ["exp"], exp: 1 })}.${good.split(".").slice(1).join(".")}`,
    "the token has critical extensions",
  ],
  [
    "whose kid is an object",
    (good) => `${segment({ alg: "ES256", kid: {} })}.${good.split(".").slice(1).join(".")}`,
    "the token's kid is not a string",
  ],
  ["of another type", () => tokenOf(key, {}, { typ: "logout+jwt" }), "the token is of another type"],
  ["that has expired", () => tokenOf(key, { exp: now() - 31 }), "the token has expired"],
  ["that never expires", () => tokenOf(key, { exp: undefined }), "the token's exp is missing or not as required"],
  ["whose expiry is a text", () => tokenOf(key, { exp: "tomorrow" }), "the token's exp is missing or not as required"],
  ["that is not valid yet", () => tokenOf(key, { nbf: now() + 40 }), "the token's nbf is missing or not as required"],
  ["from the future", () => tokenOf(key, { iat: now() + 40 }), "the token is from the future"],
  ["of another issuer", () => tokenOf(key, { iss: "https://idp.example.com/" }), "the token is of another issuer"],
  ["of no issuer", () => tokenOf(key, { iss: undefined }), "the token is of another issuer"],
  ["of a list of issuers", () => tokenOf(key, { iss: ["https://idp.example.com"] }), "the token is of another issuer"],
  ["for another audience", () => tokenOf(key, { aud: "portal" }), "the token's aud is missing or not as required"],
  ["for nobody", () => tokenOf(key, { aud: undefined }), "the token's aud is missing or not as required"],
  ["that is huge", () => tokenOf(key, { padding: "x".repeat(16_384) }), "the token is too long"],
  ["whose payload was changed", (good) => changed(good, 1), "the token's signature is wrong"],
  ["whose signature was cut", (good) => good.slice(0, -4), "the token's signature is wrong"],
  ["with padding", (good) => `${good}==`, "the token's segments are padded"],
  [
    "whose payload is no object",
    async () => `${(await tokenOf(key)).split(".")[0]}.${segment("text")}.x`,
    "the token holds no claims",
  ],
  [
    "without a name",
    () => tokenOf(key, { preferred_username: undefined }),
    "the claim preferred_username, which holds the name, is missing",
  ],
  [
    "whose name is a number",
    () => tokenOf(key, { preferred_username: 7 }),
    "the claim preferred_username, which holds the name, is missing",
  ],
  [
    "whose name holds a control",
    () => tokenOf(key, { preferred_username: "al\nice" }),
    "the claim preferred_username, which holds the name, holds a control character",
  ],
])("a token %s is rejected, wherever it comes from", async (_, forge, reason) => {
  const { backend } = await open();
  const token = await forge(await tokenOf(key));
  expect(await asserting(backend, token)).toEqual(rejected(reason));
  expect(await bearing(backend, token)).toEqual(rejected(reason));
  expect(await loggingIn(backend, "oauth2", token)).toEqual(rejected(reason));
});

test("where a token says that its keys are is neither followed nor held against it", async () => {
  const elsewhere = await keyServer(stranger);
  const { backend } = await open();
  const own = { jwk: stranger.jwk, jku: elsewhere.url, x5u: elsewhere.url, x5c: ["MIIB"], "x5t#S256": "AAAA" };
  expect(await bearing(backend, await tokenOf(key, {}, own))).toMatchObject({
    status: "authenticated",
    identity: { username: "alice" },
  });
  expect(await bearing(backend, await tokenOf(stranger, {}, own))).toEqual(rejected("the token's signature is wrong"));
  expect(await bearing(backend, await tokenOf(stranger, {}, { ...own, kid: "k9" }))).toEqual(
    rejected("the token is signed with a key that the issuer does not have"),
  );
  expect(elsewhere.requests()).toBe(0);
});

/** The token with the user `boss` in its payload. */
function changed(token: string, index: number): string {
  const segments = token.split(".");
  segments[index] = segment({ ...goodClaims(), preferred_username: "boss" });
  return segments.join(".");
}

test("clocks may differ by the leeway", async () => {
  const { backend } = await open({ leeway: "60s" });
  for (const claims of [{ exp: now() - 50 }, { nbf: now() + 50 }, { iat: now() + 50 }]) {
    expect(await bearing(backend, await tokenOf(key, claims))).toMatchObject({ status: "authenticated" });
  }
  const { backend: exact } = await open({ leeway: 0 });
  expect(await bearing(exact, await tokenOf(key, { exp: now() - 5 }))).toEqual(rejected("the token has expired"));
});

test("the header must hold one token", async () => {
  const { backend } = await open();
  const token = await tokenOf(key);
  expect(await asserting(backend, [token, token])).toEqual(rejected("the token header occurs more than once"));
  for (const text of ["", "alice", "a.b.c", `Bearer ${token}`]) {
    expect(await asserting(backend, text)).toEqual(rejected("it is not a signed token"));
  }
});

const conflicting = (reason: string) => ({ status: "conflicting", reason });

test("a login beside the header must be of the same user", async () => {
  const { backend } = await open();
  const headers = { "X-Assertion": await tokenOf(key) };
  const alices = await tokenOf(key, { exp: now() + 20 });
  const bobs = await tokenOf(key, { preferred_username: "bob" });
  const both = (credentials: Parameters<typeof ask>[1]["credentials"] & object) =>
    ask(backend, { headers, credentials });
  const authenticated = { status: "authenticated", identity: { username: "alice" } };

  expect(await both(basic("alice"))).toMatchObject(authenticated);
  expect(await both(basic("bob"))).toEqual(conflicting("the header and the Basic login name two different users"));
  expect(await both(basic("oauth2", alices))).toMatchObject(authenticated);
  expect(await both({ scheme: "bearer", token: alices })).toMatchObject(authenticated);
  expect(await both({ scheme: "bearer", token: "opaque" })).toMatchObject(authenticated);
  const two = conflicting("the header and the login hold tokens of two different users");
  expect(await both(basic("oauth2", bobs))).toEqual(two);
  expect(await both({ scheme: "bearer", token: bobs })).toEqual(two);
  expect(await both({ scheme: "bearer", token: await tokenOf(stranger) })).toEqual(
    rejected("the token's signature is wrong"),
  );
});

test("a type can be asked for", async () => {
  const { backend } = await open({ typ: "at+jwt" });
  for (const typ of ["at+jwt", "AT+JWT", "application/at+jwt"]) {
    expect(await bearing(backend, await tokenOf(key, {}, { typ }))).toMatchObject({ status: "authenticated" });
  }
  for (const typ of [undefined, "JWT"]) {
    expect(await bearing(backend, await tokenOf(key, {}, { typ }))).toEqual(rejected("the token is of another type"));
  }
});

test("an audience may be one of several, on both sides", async () => {
  const { backend } = await open({ audience: ["registry", "registry.example.com"] });
  const token = await tokenOf(key, { aud: ["portal", "registry.example.com"] });
  expect(await bearing(backend, token)).toMatchObject({ status: "authenticated" });
});

test("a token without kid counts where one key alone could have signed it", async () => {
  const token = await tokenOf(key, {}, { kid: undefined });
  const { backend } = await open();
  expect(await bearing(backend, token)).toMatchObject({ status: "authenticated" });
  const { backend: ambiguous } = await openJwt({ jwks: (await keyServer(key, await signingKey("k2"))).url });
  expect(await bearing(ambiguous, token)).toEqual(
    rejected("the token does not say which of the issuer's keys it is signed with"),
  );
});

test("a key that is too weak, or broken, is not used", async () => {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
  const input = `${segment({ alg: "RS256", kid: "weak" })}.${segment(goodClaims())}`;
  const token = `${input}.${sign("sha256", Buffer.from(input), privateKey).toString("base64url")}`;
  const server = await keyServer(key);
  for (const jwk of [publicKey.export({ format: "jwk" }), { kty: "RSA", n: "AQAB" }]) {
    server.answer((_, response) => void response.end(JSON.stringify({ keys: [{ ...jwk, kid: "weak" }] })));
    const { backend } = await openJwt({ jwks: server.url });
    expect(await bearing(backend, token)).toEqual(rejected("the issuer's key cannot be used"));
  }
});

test("whatever is changed in a token, it is not accepted", async () => {
  const { backend } = await open();
  const good = await tokenOf(key);
  const character = fc.constantFrom(..."ABCXYZabcxyz0189-_.=");
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: good.length - 1 }), character, async (index, replacement) => {
      const token = good.slice(0, index) + replacement + good.slice(index + 1);
      // The last character of a signature holds bits that do not count.
      fc.pre(token !== good && !sameBytes(token, good));
      expect((await bearing(backend, token)).status).not.toBe("authenticated");
    }),
    { numRuns: 300 },
  );
});

function sameBytes(one: string, other: string): boolean {
  const bytes = (token: string) => token.split(".").map((part) => Buffer.from(part, "base64url").toString("hex"));
  return one.split(".").slice(0, 2).join() === other.split(".").slice(0, 2).join() && bytes(one)[2] === bytes(other)[2];
}

test("nothing of a token is in a reason", async () => {
  const { backend, lines } = await open({ requiredClaims: { team: "red" } });
  const canary = "canary-claim";
  for (const claims of [{ iss: canary }, { aud: canary }, { team: canary }, { preferred_username: `${canary}\n` }]) {
    const result = await bearing(backend, await tokenOf(key, claims));
    expect(result.status).toBe("rejected");
    expect(JSON.stringify([result, lines])).not.toContain("canary");
  }
});
