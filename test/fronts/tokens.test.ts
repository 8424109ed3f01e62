import { createHmac, randomUUID } from "node:crypto";
import { CompactEncrypt, exportSPKI } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { basic } from "../support/basic.ts";
import { passwordFile } from "../support/password-file.ts";
import { exchange, statusIn } from "../support/raw-http.ts";
import { issuerName, type KeyServer, newKey, type SigningKey, seconds, sign, startKeyServer } from "./issuer.ts";
import { type Layout, recordOf, startLayout } from "./layout.ts";

let key: SigningKey;
/** Of the same issuer, of another kind. */
let curve: SigningKey;
/** Somebody else's, by the name of the issuer's. */
let forged: SigningKey;
let issuer: KeyServer;
/** Where somebody else publishes keys. */
let stranger: KeyServer;
let layout: Layout;

const backend = (jwks: string): object => ({
  type: "sso-jwt",
  header: "X-Assertion",
  jwks,
  issuer: issuerName,
  audience: "registry",
  algorithms: ["RS256", "ES256"],
  groupsClaim: "groups",
  jwksCooldown: "10ms",
  jwksTimeout: "500ms",
});

/** A gate that knows the issuer's tokens, and a password. */
async function startWith({ url }: KeyServer): Promise<Layout> {
  const htpasswd = { type: "htpasswd", file: "htpasswd", groupFile: "groups" };
  const files = { htpasswd: await passwordFile({ boss: "boss-password" }), groups: "pushers: boss\n" };
  // Dozens of forged tokens, each of which has to be looked at.
  const throttle = { perAddress: "1000/1m", perUserAndAddress: "1000/1m" };
  return startLayout({ backends: [backend(url), htpasswd], throttle }, files);
}

beforeAll(async () => {
  key = await newKey("key-1");
  curve = await newKey("key-2", "ES256");
  forged = await newKey("key-1");
  issuer = await startKeyServer(key, curve);
  stranger = await startKeyServer(forged);
  layout = await startWith(issuer);
});

afterAll(async () => {
  for (const part of [layout, issuer, stranger]) await part?.close();
});

/** The ways in which a token comes. */
const ways: Readonly<Record<string, (token: string) => Record<string, string>>> = {
  "as Bearer": (token) => ({ authorization: `Bearer ${token}` }),
  "in the header": (token) => ({ "x-assertion": token }),
  "as a password beside oauth2": (token) => basic("oauth2", token),
  "as a password beside its user": (token) => basic("boss", token),
};

let count = 0;

/** Begins a push that only members of the group may do, in a repository of its own. */
async function push(headers: Record<string, string>, { gate } = layout) {
  const repository = `team/r${count++}`;
  const response = await fetch(`${gate.url}/v2/${repository}/blobs/uploads/`, { method: "POST", headers });
  return { status: response.status, headers: response.headers, body: await response.text(), repository };
}

const segment = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const payloadOf = (token: string): string => token.split(".")[1] ?? "";

function hmac(header: object, payload: string, secret: string): string {
  const input = `${segment(header)}.${payload}`;
  return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
}

/** Their names are object identifiers. */
const entraGroups = Array.from({ length: 200 }, () => randomUUID());

describe("a good token", () => {
  const good: readonly [string, () => Promise<string>][] = [
    ["of RSA", () => sign(key)],
    ["of an elliptic curve", () => sign(curve)],
    ["for several audiences", () => sign(key, { aud: ["portal", "registry"] })],
    ["that has expired less than the leeway ago", () => sign(key, { exp: seconds() - 10 })],
    ["that says where its keys are, as every token of UAA", () => sign(key, {}, { jku: stranger.url })],
    ["that brings a key along", () => sign(key, {}, { jwk: forged.jwk, x5c: ["MIIB"] })],
    ["with 200 groups, as many as Entra ID puts into one", () => sign(key, { groups: [...entraGroups, "pushers"] })],
    ["with groups that no rule can name", () => sign(key, { groups: [7, null, "a\u0000b", "\u200bstaff", "pushers"] })],
    ["that is valid in less than the leeway", () => sign(key, { nbf: seconds() + 20, iat: seconds() + 20 })],
  ];

  test.each(good)("%s authenticates by its name and groups from any header or scheme", async (_, make) => {
    for (const [way, headersOf] of Object.entries(ways)) {
      const { status, repository } = await push(headersOf(await make()));
      expect(status, way).toBe(202);
      expect(await recordOf(layout.gate, repository)).toMatchObject({ username: "boss", backend: "sso-jwt" });
    }
  });
});

describe("a token", () => {
  const bad: readonly [string, (good: string) => Promise<string> | string][] = [
    ["without a signature", (good) => `${segment({ alg: "none" })}.${payloadOf(good)}.`],
    ["of the algorithm nOnE", (good) => `${segment({ alg: "nOnE", kid: "key-1" })}.${payloadOf(good)}.`],
    ["whose signature is left out", (good) => `${good.split(".", 2).join(".")}.`],
    [
      "of HMAC with the public key as its secret",
      async (good) => hmac({ alg: "HS256", kid: "key-1" }, payloadOf(good), await exportSPKI(key.publicKey)),
    ],
    [
      "of HMAC with the published key as its secret",
      (good) => hmac({ alg: "HS256", kid: "key-1" }, payloadOf(good), JSON.stringify(key.jwk)),
    ],
    ["of an algorithm that is not pinned", () => newKey("key-1", "PS256").then((other) => sign(other))],
    ["of a stranger, under the name of the issuer's key", () => sign(forged)],
    ["of a stranger, under a foreign name", () => sign(forged, {}, { kid: "stranger" })],
    ["of a stranger, under an empty name", () => sign(forged, {}, { kid: "" })],
    ["of a stranger, under a name that is a path", () => sign(forged, {}, { kid: "../../dev/null" })],
    ["under the name of a key of another kind", () => sign(key, {}, { kid: "key-2" })],
    ["of a stranger that brings its key along", () => sign(forged, {}, { jwk: forged.jwk })],
    ["of a stranger that says where its keys are", () => sign(forged, {}, { jku: stranger.url })],
    ["of a stranger that says where its certificate is", () => sign(forged, {}, { x5u: stranger.url })],
    ["of zeros", () => `${segment({ alg: "ES256", kid: "key-2" })}.${segment({ sub: "boss" })}.${"A".repeat(86)}`],
    [
      "of the right claims and a signature of zeros",
      (good) => `${segment({ alg: "ES256", kid: "key-2" })}.${payloadOf(good)}.${"A".repeat(86)}`,
    ],
    [
      "whose claims were changed",
      (good) => [good.split(".")[0], segment({ sub: "boss" }), good.split(".")[2]].join("."),
    ],
    ["that has expired", () => sign(key, { exp: seconds() - 31 })],
    ["that never expires", () => sign(key, { exp: undefined })],
    ["that is not valid yet", () => sign(key, { nbf: seconds() + 60 })],
    ["from the future", () => sign(key, { iat: seconds() + 60 })],
    ["of another issuer", () => sign(key, { iss: `${issuerName}.evil.example` })],
    ["of the issuer with a slash", () => sign(key, { iss: `${issuerName}/` })],
    ["for another audience", () => sign(key, { aud: "portal" })],
    ["for nobody", () => sign(key, { aud: undefined })],
    ["of another type", () => sign(key, {}, { typ: "logout+jwt" })],
    [
      "that is encrypted",
      async () =>
        new CompactEncrypt(Buffer.from("{}"))
          .setProtectedHeader({ alg: "dir", enc: "A256GCM" })
          .encrypt(new Uint8Array(32)),
    ],
    ["that names nobody", () => sign(key, { sub: undefined })],
    ["whose name has a line break", () => sign(key, { sub: "boss\nboss" })],
    ["that is huge", () => sign(key, { padding: "x".repeat(13_000) })],
  ];

  test.each(bad)("%s is refused with 401, wherever it comes from", async (_, forge) => {
    const token = await forge(await sign(key));
    for (const [way, headersOf] of Object.entries(ways)) {
      const { status, body, headers, repository } = await push(headersOf(token));
      expect(status, way).toBe(401);
      expect(JSON.parse(body)).toMatchObject({ errors: [{ code: "UNAUTHORIZED" }] });
      expect(headers.get("www-authenticate")).toBe('Basic realm="Registry realm"');
      const record = await recordOf(layout.gate, repository);
      expect(record).toMatchObject({ decision: "unauthenticated" });
      expect(record).not.toHaveProperty("username");
    }
  });

  test("larger than any head of a request is refused before it is read", async () => {
    const token = await sign(key, { padding: "x".repeat(64 * 1024) });
    for (const headersOf of Object.values(ways)) expect((await push(headersOf(token))).status).toBe(431);
  });

  test("never made the gate connect to a host other than the issuer", () => {
    expect(issuer.asked()).toBeGreaterThan(0);
    expect(stranger.asked()).toBe(0);
  });
});

describe("a token of a user with more groups than the issuer puts into it", () => {
  test("is refused what a group may do, with the reason in the log, and pulls what everybody may", async () => {
    const token = await sign(key, { groups: undefined, _claim_names: { groups: "src1" }, hasgroups: true });
    for (const [way, headersOf] of Object.entries(ways)) {
      const { status, repository } = await push(headersOf(token));
      expect(status, way).toBe(403);
      expect(await recordOf(layout.gate, repository)).toMatchObject({
        username: "boss",
        decision: "denied",
        reason: expect.stringContaining("the issuer left the claim groups out of the token (overage: _claim_names)"),
      });
    }
    const pulled = await fetch(`${layout.gate.url}/v2/team/app/tags/list`, { headers: basic("oauth2", token) });
    // Allowed, and not there.
    expect(pulled.status).toBe(404);
  });
});

describe("a token in the header beside something else", () => {
  test("is refused with 400 if the header is duplicated", async () => {
    const token = await sign(key);
    const lines = [`X-Assertion: ${token}`, `x-assertion: ${token}`, "Host: localhost", "Connection: close"];
    const response = await exchange(
      Number(new URL(layout.gate.url).port),
      ["GET /v2/ HTTP/1.1", ...lines, "", ""].join("\r\n"),
    );
    expect(statusIn(response)).toBe(400);
  });

  test("is refused with 400 where the login is another user's", async () => {
    const assertion = { "x-assertion": await sign(key, { sub: "alice" }) };
    expect((await push({ ...assertion, ...basic("boss", "boss-password") })).status).toBe(400);
    expect((await push({ ...assertion, authorization: `Bearer ${await sign(key)}` })).status).toBe(400);
    expect((await push({ ...assertion, ...basic("boss", await sign(key)) })).status).toBe(400);
  });

  test("does not spoil a password that is right", async () => {
    const expired = { "x-assertion": await sign(key, { exp: seconds() - 60 }) };
    const { status, repository } = await push({ ...expired, ...basic("boss", "boss-password") });
    expect(status).toBe(202);
    expect(await recordOf(layout.gate, repository)).toMatchObject({ backend: "htpasswd" });
  });
});

describe("the issuer's keys", () => {
  const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

  test("are reloaded when they change, and withdrawn ones are rejected", async () => {
    const next = await newKey("key-3");
    const old = await sign(key);
    expect((await push(bearer(old))).status).toBe(202);
    issuer.publish(next);
    expect((await push(bearer(await sign(next)))).status).toBe(202);
    expect((await push(bearer(old))).status).toBe(401);
    expect((await push(bearer(await sign(curve)))).status).toBe(401);
    issuer.publish(key, curve);
    // The cool-down is short here, but there is one.
    await expect.poll(async () => (await push(bearer(old))).status, { timeout: 20_000 }).toBe(202);
  });

  test("stay valid while the issuer is down, and unknown keys give 503", async () => {
    const unknown = await newKey("key-4");
    expect((await push(bearer(await sign(key)))).status).toBe(202);
    await issuer.stop();
    try {
      const response = await push(bearer(await sign(unknown)));
      expect(response.status).toBe(503);
      expect(response.headers.get("retry-after")).toMatch(/^\d+$/);
      expect(JSON.parse(response.body)).toMatchObject({ errors: [{ code: "UNAVAILABLE" }] });
      for (const headersOf of Object.values(ways)) {
        expect((await push(headersOf(await sign(key)))).status).toBe(202);
        expect((await push(headersOf(await sign(forged)))).status).toBe(401);
      }
    } finally {
      await issuer.start();
    }
    issuer.publish(key, curve, unknown);
    await expect.poll(async () => (await push(bearer(await sign(unknown)))).status, { timeout: 20_000 }).toBe(202);
  });

  test.each(["gone", "silent"])("that cannot be had at the start are waited for: %s", async (how) => {
    const late = await startKeyServer(key);
    if (how === "gone") await late.stop();
    else late.fallSilent();
    const own = await startWith(late);
    try {
      const headers = bearer(await sign(key));
      expect((await push(headers, own)).status).toBe(503);
      // Who needs no token is not kept waiting.
      expect((await push(basic("boss", "boss-password"), own)).status).toBe(202);
      expect((await push(basic("boss", "wrong"), own)).status).toBe(401);
      if (how === "gone") await late.start();
      else late.publish(key);
      await expect.poll(async () => (await push(headers, own)).status, { timeout: 20_000 }).toBe(202);
    } finally {
      await own.close();
      await late.close();
    }
  });
});

test("writes no token to the log, and forwards none to the registry", async () => {
  await layout.gate.settled();
  expect(layout.gate.output()).not.toContain("eyJ");
  expect(layout.toRegistry()).toContain("POST /v2/team/r0/blobs/uploads/");
  expect(layout.toRegistry()).not.toMatch(/eyJ|^(?:x-assertion|authorization):/im);
});
