import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { visitor } from "../../../test/support/visitor.ts";
import { hostileNames } from "./hostile-names.ts";
import { openUsers, passwords, type Stage, setStage, startPortal } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await setStage();
});
afterAll(() => stage?.close());

describe("a form", () => {
  const own = (url: string) => new URL(url).origin;

  test.each([
    ["/sign-in", { username: "bob", password: passwords.bob }],
    ["/sign-out", {}],
    ["/tokens", { name: "ci", expires: "7d" }],
    ["/everybody/release", { address: "192.0.2.1" }],
  ])("counts from a page of the portal alone: %s", async (path, fields: Record<string, string>) => {
    const alice = visitor(stage.url);
    if (path !== "/sign-in") await alice.signIn("alice", passwords.alice);
    await alice.get(path === "/sign-in" ? path : "/tokens");
    const before = new Map(alice.cookies);
    for (const headers of [
      { origin: "https://evil.example" },
      { origin: "null" },
      { origin: own(stage.url).replace("http:", "https:") },
      { origin: own(stage.url).replace(/:\d+$/, ":1") },
      { origin: own(stage.url), "sec-fetch-site": "cross-site" },
      { origin: own(stage.url), "sec-fetch-site": "same-site" },
    ]) {
      expect(await alice.post(path, fields, headers)).toMatchObject({ status: 403 });
    }
    const silent = await fetch(stage.url + path, {
      method: "POST",
      headers: { cookie: [...alice.cookies].map(([name, value]) => `${name}=${value}`).join("; ") },
      body: new URLSearchParams(fields),
    });
    expect(silent.status).toBe(403);
    expect(alice.cookies).toEqual(before);
  });

  test("counts with the token of its own session alone", async () => {
    const [alice, bob] = [visitor(stage.url), visitor(stage.url)];
    await alice.signIn("alice", passwords.alice);
    await bob.signIn("bob", passwords.bob);
    const foreign = /name="form-token" value="([^"]+)"/.exec((await bob.get("/tokens")).text)?.[1] ?? "";
    await alice.get("/tokens");
    const fields = { name: "ci", expires: "7d" };
    for (const token of [foreign, "", "x"]) {
      expect(await alice.post("/tokens", { ...fields, "form-token": token })).toMatchObject({ status: 403 });
    }
    expect((await alice.get("/tokens")).text).toContain("You have none.");
    expect((await alice.post("/tokens", fields)).status).toBe(200);
  });

  test("of the sign-in page is of the browser that has loaded it", async () => {
    const [victim, attacker] = [visitor(stage.url), visitor(stage.url)];
    const token = /name="form-token" value="([^"]+)"/.exec((await attacker.get("/sign-in")).text)?.[1] ?? "";
    await victim.get("/sign-in");
    const fields = { username: "bob", password: passwords.bob };
    expect(await victim.post("/sign-in", { ...fields, "form-token": token })).toMatchObject({ status: 403 });
  });

  test("is not sent again after signing in: who is signed out is asked to sign in first", async () => {
    const nobody = visitor(stage.url);
    await nobody.get("/sign-in");
    expect(await nobody.post("/tokens", { name: "ci", expires: "7d" })).toMatchObject({ location: "/sign-in" });
  });

  test("to sign out does nothing where the session has ended, and leads to the sign-in page", async () => {
    const alice = visitor(stage.url);
    await alice.signIn("alice", passwords.alice);
    await alice.get("/tokens");
    const before = new Map(alice.cookies);
    await alice.post("/sign-out");
    for (const [name, value] of before) alice.cookies.set(name, value);
    expect(await alice.post("/sign-out")).toMatchObject({ status: 303, location: "/sign-in" });
  });

  test("is at most as long as one of the portal can be", async () => {
    const alice = visitor(stage.url);
    await alice.signIn("alice", passwords.alice);
    await alice.get("/tokens");
    expect(await alice.post("/tokens", { name: "x".repeat(40_000) })).toMatchObject({ status: 413 });
    const odd = await alice.post("/tokens", {}, { "content-type": "application/json" });
    expect(odd.status).toBe(403);
  });
});

describe("every page", () => {
  const paths = [
    "/",
    "/tokens",
    "/activity",
    "/everybody",
    "/why?repository=team%2Fapp",
    "/how-to",
    "/nothing",
    "/sign-in",
  ];

  test.each(paths)("says what browsers may do with it: %s", async (path) => {
    const alice = visitor(stage.url);
    if (path !== "/sign-in") await alice.signIn("alice", passwords.alice);
    const { headers, text, status } = await alice.get(path);
    expect(status).toBe(path === "/nothing" ? 404 : 200);
    expect(headers.get("content-security-policy")).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; " +
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    );
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("x-frame-options")).toBe("DENY");
    expect(headers.get("referrer-policy")).toBe("same-origin");
    expect(headers.get("x-request-id")).toMatch(/^[\w-]+$/);
    // Nothing that the policy would not run.
    expect(text).not.toMatch(/<script(?![^>]*\ssrc=)|\sstyle=|\son[a-z]+=|<style/i);
  });

  test.each([
    "/r/UPPER",
    "/r/__proto__",
    "/r/team//app",
    "/r/team/app%00",
    "/r/%3Cb%3E",
    "/r/..%2fx:1",
    "/r/team/app:latest%3Fx",
    "/delete/team/app:latest%3Fx",
  ])("is of nothing that cannot be: %s", async (path) => {
    const alice = visitor(stage.url);
    await alice.signIn("alice", passwords.alice);
    expect(await alice.get(path)).toMatchObject({ status: 404 });
  });

  test("that fails names its request, and nothing of what went wrong", async () => {
    const users = await openUsers();
    const running = await startPortal({ users, upstream: "http://127.0.0.1:1" });
    const alice = visitor(running.url);
    await alice.signIn("alice", passwords.alice);
    const { status, text, headers } = await alice.get("/");
    expect(status).toBe(502);
    expect(text).toContain(headers.get("x-request-id"));
    expect(text).toContain('<a class="home" href="/">Registry</a>');
    expect(text).not.toMatch(/127\.0\.0\.1:1\b|ECONNREFUSED|at .*\.ts/);
    await running.close();
    await users.close();
  });

  test.each(hostileNames)("shows a name as text, whatever a directory holds: %j", async (username) => {
    const users = await openUsers({ [username]: "secret" });
    const running = await startPortal({ users, upstream: stage.registry.url });
    const visit = visitor(running.url);
    expect(await visit.signIn(username, "secret")).toMatchObject({ status: 303 });
    await visit.get("/tokens");
    const made = await visit.post("/tokens", { name: "ci", expires: "7d" });
    const pages = [made];
    for (const path of [
      "/",
      "/tokens",
      "/activity",
      "/how-to",
      `/why?${new URLSearchParams({ user: username, repository: "a" })}`,
    ]) {
      pages.push(await visit.get(path));
    }
    pages.push(await visitor(running.url).signIn(username, "wrong"));
    for (const { text } of pages) {
      expect(text).not.toMatch(/<(?:img|svg(?! class="(?:bar|key)")|b|i|iframe|a href="javascript)[\s>]/i);
      expect(text).not.toMatch(/<script(?! type="module" src="\/assets\/)/i);
      // Within tags, apart from what stands in quotes.
      expect(text.replaceAll(/"[^"]*"/g, '""')).not.toMatch(/<[^<>]*\son[a-z]+\s*=/i);
      expect(text.match(/<\/body>/g)).toHaveLength(1);
    }
    await running.close();
    await users.close();
  });
});
