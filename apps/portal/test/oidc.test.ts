import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { memoryState } from "@registry-gate/state";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type BrowserJar, browserJar, type Visit } from "../../../test/support/browser-jar.ts";
import { startDockerRegistry } from "../../../test/support/docker-registry.ts";
import { listen } from "../../../test/support/listen.ts";
import { type Client, type OpenIdProvider, startOpenIdProvider } from "../../../test/support/open-id-provider.ts";
import { pushImage } from "../../../test/support/registry-content.ts";
import { rememberedUsers, rememberUser } from "../src/index.ts";
import { openUsers, type RunningPortal, startPortal, type Users } from "./stage.ts";

let provider: OpenIdProvider;
let registry: Awaited<ReturnType<typeof startDockerRegistry>>;
let users: Users;
beforeAll(async () => {
  const person = (username: string, groups: readonly string[]) => ({
    ...{ password: `${username}'s canary`, email: `${username}@example.com`, name: username, groups },
  });
  provider = await startOpenIdProvider({ people: { dora: person("dora", ["pushers"]), emil: person("emil", []) } });
  registry = await startDockerRegistry();
  await pushImage({ url: registry.url, headers: {} }, "team/app", "latest", "content");
  users = await openUsers();
});
afterAll(async () => {
  await users?.close();
  await registry?.close();
  await provider?.close();
});

interface Setup {
  readonly portal: RunningPortal;
  readonly client: Client;
}

/** A portal whose users sign in at the provider. Its port has to be known before it can be registered there. */
async function setUp(
  more: { readonly issuer?: string; readonly usernameClaim?: string; readonly remember?: string } = {},
): Promise<Setup> {
  let client: Client | undefined;
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  client = await provider.register(`${url}/sign-in/callback`, {
    post_logout_redirect_uris: [`${url}/sign-in`],
    backchannel_logout_uri: `${url}/sign-in/back-channel-logout`,
    backchannel_logout_session_required: true,
  });
  const { remember } = more;
  const state = memoryState();
  const portal = await startPortal({
    ...{ users, upstream: registry.url, port, state },
    backends: remember === undefined ? [] : [rememberedUsers({}, { id: "oidc", state })],
    signInAt: (state) => ({
      ...{ kind: "oidc", state, issuer: more.issuer ?? provider.issuer },
      ...{ clientId: client?.id ?? "", clientSecret: client?.secret ?? "" },
      ...{ scopes: ["openid", "profile", "groups"], groupsClaim: "groups" },
      ...(more.usernameClaim !== undefined && { usernameClaim: more.usernameClaim }),
      ...(remember !== undefined && { remember: (identity) => rememberUser({ state, identity, remember }) }),
    }),
  });
  onTestFinished(async () => {
    await portal.close();
    await state.close();
  });
  return { portal, client };
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Signs in at the provider, where the browser has been sent. */
async function signInThere(browser: BrowserJar, at: Visit, username: string): Promise<Visit> {
  expect(at.url).toContain("/interaction/");
  return browser.go(at.url, {
    method: "POST",
    body: new URLSearchParams({ username, password: `${username}'s canary` }),
  });
}

async function signIn({ portal }: Setup, username: string, to = "/tokens"): Promise<BrowserJar> {
  const browser = browserJar();
  const page = await browser.go(portal.url + to);
  const link = /href="([^"]*sign-in\/start[^"]*)"/.exec(page.text)?.[1]?.replaceAll("&amp;", "&") ?? "";
  const there = await browser.go(new URL(link, portal.url).href);
  const back = await signInThere(browser, there, username);
  expect(back).toMatchObject({ status: 200, url: portal.url + to });
  return browser;
}

const tags = "/v2/team/app/tags/list";

test("a user signs in at the provider, by code, PKCE, state and nonce, and is the same at /v2/", async () => {
  const setup = await setUp();
  const { portal } = setup;
  const browser = await signIn(setup, "dora", "/why?repository=team%2Fapp");
  const why = await browser.go(`${portal.url}/why?repository=team%2Fapp&action=push`);
  expect(why.text).toContain("dora may push to team/app");
  expect((await browser.step(portal.url + tags)).status).toBe(200);
  expect(portal.records.at(-1)).toMatchObject({
    ...{ username: "dora", backend: "oidc" },
    principal: { via: "session", identity: { groups: ["pushers"], subject: "dora" } },
  });
  const fresh = browserJar();
  const start = await fresh.step(`${portal.url}/sign-in/start`);
  const asked = new URL(start.location ?? "").searchParams;
  expect(Object.fromEntries(asked)).toMatchObject({ response_type: "code", code_challenge_method: "S256" });
  for (const name of ["state", "nonce", "code_challenge"]) expect(asked.get(name)?.length).toBeGreaterThan(40);
});

describe("a callback", () => {
  /** Goes to the provider and stops before the browser comes back. */
  async function untilCallback(setup: Setup, browser: BrowserJar, username = "dora"): Promise<URL> {
    const there = await browser.go(`${setup.portal.url}/sign-in/start`);
    let visit = await browser.step(there.url, {
      method: "POST",
      body: new URLSearchParams({ username, password: `${username}'s canary` }),
    });
    for (let steps = 0; steps < 15; steps++) {
      const next = new URL(visit.location ?? "", visit.url);
      if (next.pathname === "/sign-in/callback") return next;
      visit = await browser.step(next.href);
    }
    throw new Error("the browser was not sent back");
  }

  const isNobody = async (browser: BrowserJar, { portal }: Setup): Promise<void> => {
    expect(await browser.step(`${portal.url}/tokens`)).toMatchObject({ status: 303 });
    expect((await browser.step(portal.url + tags)).status).toBe(401);
  };

  test("counts in the browser that began alone", async () => {
    const setup = await setUp();
    const callback = await untilCallback(setup, browserJar());
    const victim = browserJar();
    expect((await victim.step(callback.href)).status).toBe(400);
    await victim.step(`${setup.portal.url}/sign-in/start`);
    expect((await victim.step(callback.href)).status).toBe(401);
    await isNobody(victim, setup);
  });

  test.each([
    ["another state", (url: URL) => url.searchParams.set("state", "x")],
    ["no state", (url: URL) => url.searchParams.delete("state")],
    ["two states", (url: URL) => url.searchParams.append("state", "x")],
    ["another code", (url: URL) => url.searchParams.set("code", "x")],
    ["no code", (url: URL) => url.searchParams.delete("code")],
    ["another issuer", (url: URL) => url.searchParams.set("iss", "https://evil.example")],
    ["an error", (url: URL) => url.searchParams.set("error", "access_denied")],
  ])("with %s signs nobody in", async (_, change) => {
    const setup = await setUp();
    const browser = browserJar();
    const callback = await untilCallback(setup, browser);
    change(callback);
    expect((await browser.step(callback.href)).status).toBe(401);
    await isNobody(browser, setup);
    // It is used up: the right one does not count after it either.
    expect((await browser.step(callback.href)).status).toBe(400);
  });

  test("counts once: a code that is played back signs nobody in, and ends what it was for", async () => {
    const setup = await setUp();
    const browser = browserJar();
    const callback = await untilCallback(setup, browser);
    const kept = new Map(browser.cookies(setup.portal.url));
    expect(await browser.step(callback.href)).toMatchObject({ status: 303 });
    const again = browserJar();
    for (const [name, value] of kept) again.cookies(setup.portal.url).set(name, value);
    expect((await again.step(callback.href)).status).toBe(401);
    await isNobody(again, setup);
  });

  test("with an ID token of another nonce, client, issuer, key or age signs nobody in", async () => {
    const { privateKey, publicKey } = await generateKeyPair("RS256", { extractable: true });
    const { privateKey: foreignKey } = await generateKeyPair("RS256", { extractable: true });
    let nonce = "";
    let idToken: (issuer: string, clientId: string) => Promise<string> = async () => "";
    let clientId = "";
    const server = createServer();
    const issuer = `http://127.0.0.1:${await listen(server)}`;
    server.on("request", async (request: IncomingMessage, response: ServerResponse) => {
      const json = (body: unknown) =>
        response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
      const path = request.url?.split("?", 1)[0];
      if (path === "/.well-known/openid-configuration") {
        return void json({
          ...{
            issuer,
            authorization_endpoint: `${issuer}/auth`,
            token_endpoint: `${issuer}/token`,
            jwks_uri: `${issuer}/jwks`,
          },
          ...{ response_types_supported: ["code"], subject_types_supported: ["public"] },
          id_token_signing_alg_values_supported: ["RS256"],
        });
      }
      if (path === "/jwks") return void json({ keys: [{ ...(await exportJWK(publicKey)), kid: "1", alg: "RS256" }] });
      if (path === "/token") {
        return void json({ access_token: "x", token_type: "Bearer", id_token: await idToken(issuer, clientId) });
      }
      response.writeHead(404).end();
    });
    onTestFinished(() => void server.close());
    const setup = await setUp({ issuer });
    clientId = setup.client.id;

    async function come(token: typeof idToken): Promise<number> {
      idToken = token;
      const browser = browserJar();
      const start = new URL((await browser.step(`${setup.portal.url}/sign-in/start`)).location ?? "").searchParams;
      nonce = start.get("nonce") ?? "";
      const query = new URLSearchParams({ code: "x", state: start.get("state") ?? "" });
      const { status } = await browser.step(`${setup.portal.url}/sign-in/callback?${query}`);
      if (status !== 303) await isNobody(browser, setup);
      return status;
    }
    const make =
      (
        change: (token: SignJWT) => SignJWT = (token) => token,
        claims: Record<string, unknown> = {},
        key = privateKey,
      ) =>
      async (issuer: string, audience: string): Promise<string> =>
        change(
          new SignJWT({ nonce, preferred_username: "dora", ...claims })
            .setProtectedHeader({ alg: "RS256", kid: "1" })
            .setIssuer(issuer)
            .setAudience(audience)
            .setSubject("1")
            .setIssuedAt()
            .setExpirationTime("5m"),
        ).sign(key);
    expect(await come(make())).toBe(303);
    expect(await come(make((token) => token, { nonce: "another" }))).toBe(401);
    expect(await come(make((token) => token, { nonce: undefined }))).toBe(401);
    expect(await come(make((token) => token.setIssuer("https://evil.example")))).toBe(401);
    expect(await come(make((token) => token.setAudience("another")))).toBe(401);
    expect(await come(make((token) => token.setExpirationTime("-5m")))).toBe(401);
    expect(await come(make((token) => token, {}, foreignKey))).toBe(401);
    expect(
      await come(async (issuer, audience) => `${(await make()(issuer, audience)).split(".").slice(0, 2).join(".")}.`),
    ).toBe(401);
    expect(await come(make((token) => token, { preferred_username: "robot$ci" }))).toBe(401);
    expect(await come(make((token) => token, { preferred_username: undefined }))).toBe(401);
    expect(await come(make((token) => token, { preferred_username: "a\u0000b" }))).toBe(401);
  });
});

describe("signing out", () => {
  test("ends the session here, in other browsers, and at the provider", async () => {
    const setup = await setUp();
    const { portal } = setup;
    const [desk, phone] = [await signIn(setup, "dora"), await signIn(setup, "dora")];
    const page = await desk.go(`${portal.url}/tokens`);
    const token = /name="form-token" value="([^"]+)"/.exec(page.text)?.[1] ?? "";
    const out = await desk.step(`${portal.url}/sign-out`, {
      ...{ method: "POST", headers: { origin: portal.url } },
      body: new URLSearchParams({ "form-token": token }),
    });
    const end = new URL(out.location ?? "");
    expect(end.origin).toBe(provider.issuer);
    expect(end.searchParams.get("post_logout_redirect_uri")).toBe(`${portal.url}/sign-in`);
    expect(end.searchParams.get("id_token_hint")).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
    for (const browser of [desk, phone]) expect((await browser.step(portal.url + tags)).status).toBe(401);
  });

  test("at the provider ends the sessions here, by its own request behind the scenes", async () => {
    const setup = await setUp();
    const { portal } = setup;
    const browser = await signIn(setup, "dora");
    const other = await signIn(setup, "emil");
    expect((await browser.step(portal.url + tags)).status).toBe(200);
    const form = await browser.go(`${provider.issuer}/session/end?client_id=${setup.client.id}`);
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(form.text)?.[1] ?? "";
    const done = await browser.go(`${provider.issuer}/session/end/confirm`, {
      method: "POST",
      body: new URLSearchParams({ xsrf, logout: "yes" }),
    });
    expect(done.status).toBe(200);
    await expect.poll(async () => (await browser.step(portal.url + tags)).status).toBe(401);
    expect(await browser.step(`${portal.url}/tokens`)).toMatchObject({ status: 303 });
    expect((await other.step(portal.url + tags)).status).toBe(200);
  });

  test("by a logout token that is none signs nobody out", async () => {
    const setup = await setUp();
    const { portal, client } = setup;
    const browser = await signIn(setup, "dora");
    const { privateKey } = await generateKeyPair("RS256");
    const events = { "http://schemas.openid.net/event/backchannel-logout": {} };
    const forged = await new SignJWT({ events, sub: "dora", jti: "1" })
      .setProtectedHeader({ alg: "RS256", kid: "key-1", typ: "logout+jwt" })
      .setIssuer(provider.issuer)
      .setAudience(client.id)
      .setIssuedAt()
      .setExpirationTime("2m")
      .sign(privateKey);
    const secret = await new SignJWT({ events, sub: "dora", jti: "2" })
      .setProtectedHeader({ alg: "HS256" })
      .setIssuer(provider.issuer)
      .setAudience(client.id)
      .setIssuedAt()
      .setExpirationTime("2m")
      .sign(new TextEncoder().encode(client.secret));
    for (const token of [forged, secret, "", "x.y.z", `${forged.split(".").slice(0, 2).join(".")}.`]) {
      const response = await fetch(`${portal.url}/sign-in/back-channel-logout`, {
        method: "POST",
        body: new URLSearchParams({ logout_token: token }),
      });
      expect(response.status).toBe(400);
      expect(response.headers.get("cache-control")).toBe("no-store");
    }
    expect((await browser.step(portal.url + tags)).status).toBe(200);
  });
});

test("a remembered user has access tokens, which end when the user has not signed in for long", async () => {
  const makeToken = async ({ portal }: Setup, browser: BrowserJar): Promise<string> => {
    const page = await browser.go(`${portal.url}/tokens`);
    const made = await browser.step(`${portal.url}/tokens`, {
      ...{ method: "POST", headers: { origin: portal.url } },
      body: new URLSearchParams({
        ...{ name: "ci", expires: "7d" },
        "form-token": /name="form-token" value="([^"]+)"/.exec(page.text)?.[1] ?? "",
      }),
    });
    return /rga_[0-9A-Za-z]{49}/.exec(made.text)?.[0] ?? made.text;
  };
  const withToken = async ({ portal }: Setup, token: string): Promise<number> => {
    const authorization = `Basic ${Buffer.from(`dora:${token}`).toString("base64")}`;
    return (await fetch(portal.url + tags, { headers: { authorization } })).status;
  };
  const long = await setUp({ remember: "1h" });
  const token = await makeToken(long, await signIn(long, "dora"));
  expect(await withToken(long, token)).toBe(200);

  const short = await setUp({ remember: "1500ms" });
  const passing = await makeToken(short, await signIn(short, "dora"));
  expect(passing).toMatch(/^rga_/);
  await expect.poll(async () => await short.portal.state.list("portal/user/"), { interval: 100 }).toEqual([]);
  expect(await withToken(short, passing)).toBe(401);

  const without = await setUp();
  expect(await makeToken(without, await signIn(without, "dora"))).toContain("which is no backend here");
});

test("while the provider is away, nobody can sign in, and who has is not disturbed", async () => {
  const setup = await setUp({ issuer: "http://127.0.0.1:1" });
  const visit = await browserJar().step(`${setup.portal.url}/sign-in/start`);
  expect(visit.status).toBe(503);
  expect(visit.text).toContain("the provider cannot be reached");
});
