import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { CompactSign, decodeJwt, decodeProtectedHeader, exportJWK } from "jose";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { issueToken } from "../src/issue.ts";
import { randomKeys } from "../src/key-file.ts";
import { verifyToken } from "../src/verify.ts";
import { alice, nobody } from "./fixtures.ts";

const keys = await randomKeys();
const key = keys.signingKey();
const rules = { issuer: "registry-gate", service: "registry.example.com", uploadGrace: 60_000 };
const content = {
  issuer: "registry-gate",
  service: "registry.example.com",
  principal: alice,
  access: [{ type: "repository", name: "team/app", actions: ["pull"] }],
  ttl: 300_000,
} as const;

const { token } = await issueToken(keys, content);
const claims = decodeJwt(token);
const header = decodeProtectedHeader(token);
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Signed with the gate's own key, whatever it says. */
function signed(changes: Readonly<Record<string, unknown>>, headerChanges: Readonly<Record<string, unknown>> = {}) {
  const payload = Buffer.from(JSON.stringify({ ...claims, ...changes }));
  const parameters = { alg: key.algorithm, typ: "registry-gate+jwt", kid: key.kid, ...headerChanges };
  if (key.privateKey === undefined) throw new Error("no private key");
  return new CompactSign(payload).setProtectedHeader(parameters).sign(key.privateKey);
}

const verify = (text: string) => verifyToken(text, keys, rules);
const now = Math.floor(Date.now() / 1000);

function at(time: number): void {
  vi.useFakeTimers({ toFake: ["Date"], now: time });
  onTestFinished(() => void vi.useRealTimers());
}

describe("a token that was issued", () => {
  it("is valid, and says who has it and what for", async () => {
    expect(await verify(token)).toMatchObject({
      kind: "valid",
      identity: alice.identity,
      claims: { sub: "alice", aud: "registry.example.com", access: content.access },
    });
    expect(header).toEqual({ alg: "EdDSA", typ: "registry-gate+jwt", kid: key.kid });
  });

  it("is valid where it was issued to nobody", async () => {
    const { token } = await issueToken(keys, { ...content, principal: nobody });
    expect(await verify(token)).toMatchObject({ kind: "valid", identity: undefined, claims: { sub: "" } });
  });

  it.each(["ES256", "RS256"] as const)("is valid with %s", async (algorithm) => {
    const others = await randomKeys({ algorithm });
    const { token } = await issueToken(others, content);
    expect(decodeProtectedHeader(token).alg).toBe(algorithm);
    expect(await verifyToken(token, others, rules)).toMatchObject({ kind: "valid" });
    expect(await verify(token)).toMatchObject({ kind: "invalid" });
  });

  it("has another jti each time", async () => {
    const { token: other } = await issueToken(keys, content);
    expect(decodeJwt(other).jti).not.toBe(claims.jti);
  });

  it("does not outlive the login that it rests on, and lives for a second at least", async () => {
    at(1_800_000_000_000);
    const short = await issueToken(keys, { ...content, notAfter: Date.now() + 10_900 });
    expect(short.expiresIn).toBe(10);
    expect((await issueToken(keys, { ...content, ttl: 1 })).expiresIn).toBe(1);
  });

  it("keeps the groups of somebody with 2,000 of them, within 8 KiB", async () => {
    const groups = Array.from({ length: 2000 }, (_, index) => `cn=group-${index},ou=groups,dc=example,dc=com`);
    const principal = { ...alice, identity: { ...alice.identity, groups } };
    const { token, withoutGroups } = await issueToken(keys, { ...content, principal });
    expect(token.length).toBeLessThanOrEqual(8192);
    expect(withoutGroups).toBeUndefined();
    expect(await verify(token)).toMatchObject({ identity: { groups } });
  });

  it("says that groups are missing where they do not fit, so that rules that deny by one hold", async () => {
    const unique = Array.from(
      { length: 600 },
      () => generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" }).x ?? "",
    );
    const many = { ...alice, identity: { ...alice.identity, groups: unique } };
    const cut = await issueToken(keys, { ...content, principal: many });
    expect(cut.withoutGroups).toBe(true);
    expect(await verify(cut.token)).toMatchObject({
      identity: { groups: [], groupsIncomplete: "they do not fit into a token" },
    });
  });

  it("keeps all of an identity that makes rules stricter", async () => {
    const identity = {
      ...alice.identity,
      ambiguousGroups: ["admins"],
      groupsIncomplete: "too many",
      nameMatching: "folded",
    } as const;
    const { token } = await issueToken(keys, { ...content, principal: { ...alice, identity } });
    expect(await verify(token)).toMatchObject({ identity });
  });

  it("is refused where what it grants does not fit", async () => {
    const access = Array.from({ length: 90 }, (_, index) => ({
      ...content.access[0],
      name: `${"a".repeat(80)}/${index}`,
    }));
    await expect(issueToken(keys, { ...content, access })).rejects.toThrow("the scopes do not fit into a token");
  });
});

describe("verifyToken refuses", () => {
  it.each<[string, () => Promise<string> | string, string]>([
    ["alg none", () => `${part({ ...header, alg: "none" })}.${part(claims)}.AA`, "algorithm"],
    ["alg none without a signature", () => `${part({ ...header, alg: "none" })}.${part(claims)}.`, "header"],
    [
      "another algorithm",
      () => `${part({ ...header, alg: "ES256" })}.${token.split(".").slice(1).join(".")}`,
      "algorithm",
    ],
    ["an unknown kid", () => signed({}, { kid: "unknown" }), "unknown key"],
    ["a kid that is no text", () => signed({}, { kid: 1 }), "header"],
    ["an empty header", () => `${part({ typ: "registry-gate+jwt" })}.${part(claims)}.AA`, "header"],
    ["an embedded key", async () => signed({}, { jwk: await exportJWK(key.publicKey) }), "header"],
    ["jku", () => signed({}, { jku: "https://evil.example.com/jwks" }), "header"],
    ["x5u", () => signed({}, { x5u: "https://evil.example.com/cert" }), "header"],
    ["critical extensions", () => `${part({ ...header, crit: ["exp"], exp: 1 })}.${part(claims)}.AA`, "header"],
    ["another issuer", () => signed({ iss: "somebody" }), "issuer"],
    ["no issuer", () => signed({ iss: undefined }), "malformed"],
    ["another audience", () => signed({ aud: "other.example.com" }), "service"],
    ["an audience that begins alike", () => signed({ aud: "registry.example.com.evil" }), "service"],
    ["a list of other audiences", () => signed({ aud: ["a", "b"] }), "service"],
    ["an empty list of audiences", () => signed({ aud: [] }), "malformed"],
    ["no exp", () => signed({ exp: undefined }), "malformed"],
    ["an exp that is text", () => signed({ exp: "9999999999" }), "malformed"],
    ["an exp beyond all numbers", () => signed({ exp: 1e308 }), "malformed"],
    ["nbf in the future", () => signed({ nbf: now + 600 }), "not valid yet"],
    ["iat in the future", () => signed({ iat: now + 600 }), "future"],
    ["an exp long ago", () => signed({ exp: now - 3600 }), "expired"],
    ["a claim that is not known", () => signed({ cnf: {} }), "malformed"],
    ["an access that is no list", () => signed({ access: "everything" }), "malformed"],
    ["an access of an unknown type", () => signed({ access: [{ type: "x", name: "a", actions: [] }] }), "malformed"],
    ["a user without an identity", () => signed({ rg: undefined }), "whose"],
    ["an identity without a user", () => signed({ sub: "" }), "whose"],
    ["an identity of somebody else", () => signed({ sub: "bob" }), "whose"],
    ["an identity that is packed badly", () => signed({ rg: "AAAA" }), "whose"],
    ["a payload that is no JSON", async () => (await signed({})).replace(/\.[^.]+\./, ".e30x."), "signature"],
    ["trailing garbage", () => `${token}x`, "spelled"],
    ["a trailing dot", () => `${token}.`, "header"],
    ["duplicate dots", () => token.replace(".", ".."), "header"],
    ["padding", () => `${token}=`, "header"],
    ["a missing signature", () => token.slice(0, token.lastIndexOf(".")), "header"],
    ["a changed payload", () => token.replace(/\.[^.]+\./, `.${part({ ...claims, sub: "root" })}.`), "signature"],
    ["more than 8 KiB", () => signed({ access: Array.from({ length: 200 }, () => content.access[0]) }), "too long"],
  ])("%s", async (_, make, reason) => {
    expect(await verify(await make())).toEqual({ kind: "invalid", reason: expect.stringContaining(reason) });
  });

  it("HS256 with the public key as the secret", async () => {
    const spki = key.publicKey.export({ type: "spki", format: "pem" });
    for (const secret of [Buffer.from(spki), key.publicKey.export({ type: "spki", format: "der" })]) {
      const forged = await new CompactSign(Buffer.from(JSON.stringify(claims)))
        .setProtectedHeader({ alg: "HS256", typ: "registry-gate+jwt", kid: key.kid })
        .sign(new Uint8Array(secret));
      expect(await verify(forged)).toMatchObject({ kind: "invalid" });
    }
  });

  it("the key of somebody else under the kid of ours", async () => {
    const { privateKey } = generateKeyPairSync("ed25519");
    const forged = await new CompactSign(Buffer.from(JSON.stringify(claims)))
      .setProtectedHeader({ alg: "EdDSA", typ: "registry-gate+jwt", kid: key.kid })
      .sign(privateKey);
    expect(await verify(forged)).toEqual({ kind: "invalid", reason: "the token's signature is wrong" });
  });
});

describe("verifyToken", () => {
  it.each([
    ["an opaque token", "rga_abc"],
    ["nothing", ""],
    ["dots", "..."],
    ["a token of another type", `${part({ alg: "EdDSA", typ: "JWT" })}.${part({})}.AA`],
    ["a token without a type", `${part({ alg: "none" })}.${part({})}.AA`],
  ])("leaves %s to others", async (_, text) => {
    expect(await verify(text)).toEqual({ kind: "foreign" });
  });

  it("takes an audience that is in a list", async () => {
    expect(await verify(await signed({ aud: ["other", "registry.example.com"] }))).toMatchObject({ kind: "valid" });
  });

  it("takes any audience where none is asked for", async () => {
    const any = { ...rules, service: undefined };
    expect(await verifyToken(await signed({ aud: "other" }), keys, any)).toMatchObject({ kind: "valid" });
  });

  it("bears with clocks that are 5 s apart, and not with more", async () => {
    const { exp = 0, nbf = 0 } = claims;
    at((nbf - 5) * 1000);
    expect(await verify(token)).toMatchObject({ kind: "valid" });
    vi.setSystemTime((nbf - 6) * 1000);
    expect(await verify(token)).toMatchObject({ kind: "invalid" });
    vi.setSystemTime((exp + 5) * 1000 - 1);
    expect(await verify(token)).toMatchObject({ kind: "valid", until: (exp + 5) * 1000 });
    vi.setSystemTime((exp + 5) * 1000);
    expect(await verify(token)).toMatchObject({ kind: "expired", until: (exp + 65) * 1000 });
    vi.setSystemTime((exp + 65) * 1000);
    expect(await verify(token)).toEqual({ kind: "invalid", reason: "the token has expired" });
  });

  it("never throws, and never takes a text that was not signed", async () => {
    const bytes = fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array).toString("base64url"));
    const json = fc.jsonValue().map((value) => part(value));
    const near = fc.record({
      alg: fc.constantFrom("EdDSA", "none", "HS256", "ES256"),
      typ: fc.constant("registry-gate+jwt"),
      kid: fc.constantFrom(key.kid, "", "x"),
    });
    const segment = fc.oneof(bytes, json, near.map(part), fc.constantFrom(...token.split(".")));
    const texts = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(segment, { maxLength: 5 }).map((segments) => segments.join(".")),
      fc
        .tuple(fc.nat(token.length - 1), fc.constantFrom("A", "B", ".", "=", "\u0000"))
        .map(([place, character]) => token.slice(0, place) + character + token.slice(place + 1)),
    );
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        const { kind } = await verify(text);
        if (text !== token) expect(["invalid", "foreign"]).toContain(kind);
      }),
      { numRuns: 1000 },
    );
  });
});
