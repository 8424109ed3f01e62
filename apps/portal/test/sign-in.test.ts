import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { visitor } from "../../../test/support/visitor.ts";
import { openUsers, passwords, type Stage, secrets, setStage, startPortal } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await setStage();
});
afterAll(() => stage?.close());

const tags = "/v2/team/app/tags/list";
const cookieOf = (cookies: ReadonlyMap<string, string>): string => cookies.get("portal") ?? "";

describe("the form", () => {
  test("signs a user in, who sees what they may pull, and is the same at /v2/", async () => {
    const alice = visitor(stage.url);
    expect(await alice.get("/")).toMatchObject({ status: 303, location: "/sign-in" });
    expect(await alice.signIn("alice", passwords.alice)).toMatchObject({ status: 303, location: "/" });
    const page = await alice.get("/");
    expect(page.status).toBe(200);
    expect(page.text).toContain("team/app");
    expect(page.text).not.toContain("secret/app");
    expect((await alice.get(tags)).status).toBe(200);
    expect((await alice.get("/v2/secret/app/tags/list")).status).toBe(403);
    expect(stage.records.find(({ operation }) => operation === "list-tags")).toMatchObject({
      ...{ username: "alice", backend: "users" },
      principal: { via: "session" },
    });
  });

  test("says nothing about whether it was the name or the password", async () => {
    const [wrongPassword, nobody] = [visitor(stage.url), visitor(stage.url)];
    const one = await wrongPassword.signIn("alice", "guess");
    const other = await nobody.signIn("mallory", "guess");
    expect([one.status, other.status]).toEqual([401, 401]);
    expect(one.text).toContain("The user name or the password is wrong.");
    const withoutNames = (text: string): string => text.replaceAll(/alice|mallory|value="[\w-]{43}"/g, "");
    expect(withoutNames(one.text)).toBe(withoutNames(other.text));
    expect(cookieOf(wrongPassword.cookies)).toBe("");
  });

  test("takes no access token, by which a narrow one would open a session that makes wider ones", async () => {
    const alice = visitor(stage.url);
    await alice.signIn("alice", passwords.alice);
    await alice.get("/tokens");
    for (const limits of [{ repositories: "team/app", actions: "pull" }, {}]) {
      const name = `token-${Object.keys(limits).length}`;
      const made = await alice.post("/tokens", { name, expires: "7d", ...limits });
      const token = /rga_[0-9A-Za-z]{49}/.exec(made.text)?.[0] ?? "";
      expect(token).not.toBe("");
      await alice.get("/tokens");
      const other = visitor(stage.url);
      const answer = await other.signIn("alice", token);
      expect(answer.status).toBe(401);
      expect(answer.text).toContain("This is an access token");
      expect(await other.get("/tokens")).toMatchObject({ status: 303 });
    }
  });

  test("counts failures together with those of docker", async () => {
    const guesser = visitor(stage.url);
    await guesser.get("/sign-in");
    const guesses = await Promise.all(
      Array.from({ length: 30 }, () => guesser.post("/sign-in", { username: "carol", password: "guess" })),
    );
    const refused = guesses.filter(({ status }) => status === 429);
    expect(refused).not.toHaveLength(0);
    for (const { headers, text } of refused) {
      expect(headers.get("retry-after")).toMatch(/^\d+$/);
      expect(text).toContain("Too many logins have failed.");
    }
    const docker = await Promise.all(
      Array.from({ length: 10 }, async () => {
        const authorization = `Basic ${Buffer.from("CAROL:guess").toString("base64")}`;
        return (await fetch(`${stage.url}/v2/`, { headers: { authorization } })).status;
      }),
    );
    expect(docker).toContain(429);
    expect((await visitor(stage.url).signIn("alice", passwords.alice)).status).toBe(303);
  });
});

describe("where somebody goes on after signing in", () => {
  test("is the page that they wanted", async () => {
    const alice = visitor(stage.url);
    const { location } = await alice.get("/why?repository=team%2Fapp&action=push");
    expect(location).toBe("/sign-in?to=%2Fwhy%3Frepository%3Dteam%252Fapp%26action%3Dpush");
    const to = new URL(location ?? "", stage.url).searchParams.get("to") ?? "";
    expect(await alice.signIn("alice", passwords.alice, to)).toMatchObject({
      location: "/why?repository=team%2Fapp&action=push",
    });
  });

  test.each([
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/%5cevil.example/..//evil.example",
    "/.//evil.example",
    "/a/..//evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "/ /evil.example",
    "@evil.example",
    ".evil.example",
    "",
  ])("is never another host: %j", async (to) => {
    const alice = visitor(stage.url);
    const { location } = await alice.signIn("alice", passwords.alice, to);
    const target = new URL(location ?? "", stage.url);
    expect(target.origin).toBe(new URL(stage.url).origin);
    expect(location).not.toMatch(/^\/[/\\]/);
    const again = await alice.get(`/sign-in?to=${encodeURIComponent(to)}`);
    expect(new URL(again.location ?? "", stage.url).origin).toBe(new URL(stage.url).origin);
  });
});

describe("a session", () => {
  test("begins with another id than the browser had, so that nobody can have foisted one on it", async () => {
    const alice = visitor(stage.url);
    await alice.signIn("alice", passwords.alice);
    const first = cookieOf(alice.cookies);
    alice.cookies.delete("portal");
    const bob = visitor(stage.url);
    bob.cookies.set("portal", first);
    // Alice's session does not become bob's, and bob's is another.
    expect(await bob.get("/sign-in")).toMatchObject({ status: 303 });
    await bob.get("/");
    await bob.post("/sign-in", { username: "bob", password: passwords.bob });
    expect(cookieOf(bob.cookies)).not.toBe(first);
    expect((await bob.get("/")).text).toContain("bob/tool");
    const old = visitor(stage.url);
    old.cookies.set("portal", first);
    expect(await old.get("/")).toMatchObject({ status: 303 });
  });

  test("ends everywhere when its user signs out in one browser, at /v2/ too", async () => {
    const [desk, phone] = [visitor(stage.url), visitor(stage.url)];
    await desk.signIn("alice", passwords.alice);
    await phone.signIn("alice", passwords.alice);
    await desk.get("/");
    expect((await phone.get(tags)).status).toBe(200);
    const kept = cookieOf(desk.cookies);
    expect(await desk.post("/sign-out")).toMatchObject({ status: 303, location: "/sign-in" });
    desk.cookies.set("portal", kept);
    for (const one of [desk, phone]) {
      expect(await one.get("/")).toMatchObject({ status: 303 });
      expect((await one.get(tags)).status).toBe(401);
    }
    await phone.signIn("alice", passwords.alice);
    expect((await phone.get("/")).status).toBe(200);
    // What had ended does not come back with the next login.
    expect(await desk.get("/")).toMatchObject({ status: 303 });
  });

  test("ends when the user is gone or has another password, and knows the groups of now", async () => {
    const users = await openUsers();
    onTestFinished(() => users.close());
    const running = await startPortal({ users, upstream: stage.registry.url });
    onTestFinished(() => running.close());
    const [alice, bob] = [visitor(running.url), visitor(running.url)];
    await alice.signIn("alice", passwords.alice);
    await bob.signIn("bob", passwords.bob);
    expect((await bob.get(tags)).status).toBe(200);
    await users.set({ alice: passwords.alice });
    expect(await bob.get("/")).toMatchObject({ status: 303 });
    expect((await bob.get(tags)).status).toBe(401);
    expect((await alice.get("/")).status).toBe(200);
    await users.set({ alice: "another one", bob: passwords.bob });
    expect(await alice.get("/")).toMatchObject({ status: 303 });
    // Whoever gets the name of somebody who has left does not get their session.
    expect(await bob.get("/")).toMatchObject({ status: 303 });
  });

  test("ends after a time without a request, and after its lifetime whatever happens", async () => {
    const users = await openUsers();
    onTestFinished(() => users.close());
    const idle = await startPortal({ users, upstream: stage.registry.url, sessions: { idle: 800 } });
    onTestFinished(() => idle.close());
    const alice = visitor(idle.url);
    await alice.signIn("alice", passwords.alice);
    expect((await alice.get("/how-to")).status).toBe(200);
    await expect.poll(async () => (await alice.get("/how-to")).status, { interval: 1200 }).toBe(303);

    const short = await startPortal({ users, upstream: stage.registry.url, sessions: { lifetime: 2000 } });
    onTestFinished(() => short.close());
    const bob = visitor(short.url);
    await bob.signIn("bob", passwords.bob);
    expect((await bob.get("/how-to")).status).toBe(200);
    await expect.poll(async () => (await bob.get("/how-to")).status, { interval: 100 }).toBe(303);
  });

  test("is accepted by an older secret, and by none that is gone", async () => {
    const users = await openUsers();
    onTestFinished(() => users.close());
    let current: readonly string[] = [secrets[1] ?? ""];
    const running = await startPortal({
      ...{ users, upstream: stage.registry.url },
      sessions: { secrets: () => current },
      options: { secrets: () => current },
    });
    onTestFinished(() => running.close());
    const alice = visitor(running.url);
    await alice.signIn("alice", passwords.alice);
    current = secrets;
    expect((await alice.get("/how-to")).status).toBe(200);
    current = secrets.slice(0, 1);
    expect(await alice.get("/how-to")).toMatchObject({ status: 303 });
  });

  test("is not known by its id to who reads the store, and is not kept for who only looks", async () => {
    const looking = visitor(stage.url);
    await looking.get("/sign-in");
    const before = (await stage.state.list("portal/session/")).length;
    await visitor(stage.url).get("/sign-in");
    expect(await stage.state.list("portal/session/")).toHaveLength(before);
    const alice = visitor(stage.url);
    await alice.signIn("alice", passwords.alice);
    const id = decodeURIComponent(cookieOf(alice.cookies)).replace(/^s:/, "").split(".")[0] ?? "";
    expect(id.length).toBeGreaterThan(20);
    expect(JSON.stringify(await stage.state.list("portal/"))).not.toContain(id);
  });

  test("cannot be found out while the store is away: pages and /v2/ say so, and let nobody in", async () => {
    const users = await openUsers();
    onTestFinished(() => users.close());
    const running = await startPortal({ users, upstream: stage.registry.url });
    onTestFinished(() => running.close());
    const alice = visitor(running.url);
    await alice.signIn("alice", passwords.alice);
    await running.state.close();
    expect((await alice.get("/")).status).toBe(503);
    expect((await alice.get(tags)).status).toBe(503);
    expect((await visitor(running.url).signIn("bob", passwords.bob)).status).toBe(503);
  });
});

test("the cookies of a portal over TLS are for this host, for TLS, and for no script", async () => {
  const users = await openUsers();
  onTestFinished(() => users.close());
  const running = await startPortal({ users, upstream: stage.registry.url, sessions: { secure: true } });
  onTestFinished(() => running.close());
  // A proxy in front, which the portal trusts, has ended TLS.
  const overTls = { "x-forwarded-proto": "https", origin: running.url.replace("http:", "https:") };
  const alice = visitor(running.url, overTls);
  const form = await alice.get("/sign-in");
  const signedIn = await alice.post("/sign-in", { username: "alice", password: passwords.alice }, overTls);
  expect(signedIn).toMatchObject({ status: 303, location: "/" });
  const cookies = [...form.headers.getSetCookie(), ...signedIn.headers.getSetCookie()];
  expect(cookies.map((cookie) => cookie.split("=")[0])).toEqual(["__Host-portal-visitor", "__Host-portal"]);
  for (const cookie of cookies) {
    const [, ...attributes] = cookie.split("; ");
    expect(attributes.sort()).toEqual(["HttpOnly", "Path=/", "SameSite=Lax", "Secure"]);
  }
  expect((await alice.get("/how-to", overTls)).status).toBe(200);
  const plain = await visitor(running.url).get("/sign-in");
  expect(plain.status).toBe(400);
  expect(plain.text).toContain("over https alone");
});

test("the portal works below a path as well", async () => {
  const users = await openUsers();
  onTestFinished(() => users.close());
  const running = await startPortal({ users, upstream: stage.registry.url, path: "/portal" });
  onTestFinished(() => running.close());
  const alice = visitor(`${running.url}/portal`);
  expect(await alice.get("/portal/tokens")).toMatchObject({ location: "/portal/sign-in?to=%2Fportal%2Ftokens" });
  expect(await alice.signIn("alice", passwords.alice, "/other")).toMatchObject({ location: "/portal/" });
  const page = await alice.get("/portal/");
  for (const [, link] of page.text.matchAll(/(?:href|src|action)="(\/[^"]*)"/g)) expect(link).toMatch(/^\/portal\//);
  const style = /href="([^"]*\.css)"/.exec(page.text)?.[1] ?? "";
  const { status, headers } = await alice.get(style);
  expect([status, headers.get("cache-control"), headers.get("content-type")]).toEqual([
    200,
    "public, max-age=31536000, immutable",
    "text/css; charset=utf-8",
  ]);
});
