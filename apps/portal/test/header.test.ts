import { ssoHeaderBackend } from "@registry-gate/auth-sso";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { startDockerRegistry } from "../../../test/support/docker-registry.ts";
import { pushImage } from "../../../test/support/registry-content.ts";
import { visitor } from "../../../test/support/visitor.ts";
import { openUsers, passwords, type RunningPortal, startPortal, type Users } from "./stage.ts";

let registry: Awaited<ReturnType<typeof startDockerRegistry>>;
let users: Users;
beforeAll(async () => {
  registry = await startDockerRegistry();
  await pushImage({ url: registry.url, headers: {} }, "team/app", "latest", "content");
  users = await openUsers();
});
afterAll(async () => {
  await users?.close();
  await registry?.close();
});

async function start(trustedProxies: readonly string[]): Promise<RunningPortal> {
  const proxy = await ssoHeaderBackend({
    trustedProxies: [...trustedProxies],
    userHeader: "X-User",
    groupsHeader: "X-Groups",
    groupsSeparator: ",",
  });
  const running = await startPortal({
    ...{ users, upstream: registry.url, backends: [proxy] },
    sessions: { pagesOnly: true },
    options: { signIn: { kind: "header", signOutUrl: "https://proxy.example.com/out" } },
  });
  onTestFinished(() => running.close());
  return running;
}

const tags = "/v2/team/app/tags/list";
const as = (user: string) => ({ "x-user": user, "x-groups": "pushers" });

test("the user is whom the proxy names in each request, and a session alone is nobody", async () => {
  const portal = await start(["127.0.0.1"]);
  const visit = visitor(portal.url);
  const page = await visit.get("/why?repository=team%2Fapp&action=push", as("dora"));
  expect(page.text).toContain("dora may push to team/app");
  expect((await visit.get(tags, as("dora"))).status).toBe(200);
  // The cookie without the header, as from beside the proxy.
  expect(await visit.get("/tokens")).toMatchObject({ status: 303, location: "/sign-in?to=%2Ftokens" });
  expect((await visit.get("/sign-in")).status).toBe(401);
  expect((await visit.get(tags)).status).toBe(401);
});

test("another user of the same browser gets another session, and a form of the first one does not count", async () => {
  const portal = await start(["127.0.0.1"]);
  const visit = visitor(portal.url);
  await visit.get("/how-to", as("dora"));
  const first = visit.cookies.get("portal");
  expect(first).toBeDefined();
  const crossed = await visit.post("/tokens", { name: "ci", expires: "7d" }, as("emil"));
  expect(crossed.status).toBe(403);
  expect((await visit.get("/how-to", as("emil"))).text).toContain(">emil<");
  expect(visit.cookies.get("portal")).not.toBe(first);
  const out = await visit.post("/sign-out", {}, as("emil"));
  expect(out).toMatchObject({ status: 303, location: "https://proxy.example.com/out" });
});

test("a stranger's header signs nobody in, and no name opens the form", async () => {
  const portal = await start(["192.0.2.1"]);
  const visit = visitor(portal.url);
  expect(await visit.get("/tokens", as("dora"))).toMatchObject({ status: 303 });
  expect((await visit.get("/sign-in", as("dora"))).status).toBe(401);
  await visit.get("/sign-in");
  const posted = await visit.post("/sign-in", { username: "alice", password: passwords.alice });
  expect(posted.status).toBe(404);
});
