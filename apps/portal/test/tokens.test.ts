import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { startDockerd } from "../../../test/support/dockerd.ts";
import { run } from "../../../test/support/run.ts";
import { type Visitor, visitor } from "../../../test/support/visitor.ts";
import { loginLines } from "../src/pages/tokens/login-lines.ts";
import { hostileNames } from "./hostile-names.ts";
import { passwords, type Stage, setStage } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await setStage();
});
afterAll(() => stage?.close());

async function signedIn(username: keyof typeof passwords): Promise<Visitor> {
  const visit = visitor(stage.url);
  await visit.signIn(username, passwords[username]);
  await visit.get("/tokens");
  return visit;
}

const tokenIn = (text: string): string => /rga_[0-9A-Za-z]{49}/.exec(text)?.[0] ?? "";
const withToken = (token: string, path: string): Promise<number> =>
  fetch(stage.url + path, {
    headers: { authorization: `Basic ${Buffer.from(`bob:${token}`).toString("base64")}` },
  }).then(({ status }) => status);

describe("a token of the page", () => {
  test("is shown once, is good for what was asked, and for nothing once it is revoked", async () => {
    const bob = await signedIn("bob");
    const made = await bob.post("/tokens", { name: "job", expires: "7d", repositories: "bob/tool", actions: "pull" });
    const token = tokenIn(made.text);
    expect(made.status).toBe(200);
    expect(token).not.toBe("");
    const list = await bob.get("/tokens");
    expect(list.text).toContain("repository:bob/tool:pull");
    expect(list.text).not.toContain(token);
    expect(await withToken(token, "/v2/bob/tool/tags/list")).toBe(200);
    expect(await withToken(token, "/v2/team/app/tags/list")).not.toBe(200);
    const path = /action="(\/tokens\/[^"]+\/revoke)"/.exec(list.text)?.[1] ?? "";
    const other = await signedIn("alice");
    // Nobody reaches the token of somebody else.
    await other.post(path);
    expect(await withToken(token, "/v2/bob/tool/tags/list")).toBe(200);
    expect(await bob.post(path)).toMatchObject({ status: 303, location: "/tokens" });
    expect(await withToken(token, "/v2/bob/tool/tags/list")).toBe(401);
    const after = await bob.get("/tokens");
    expect(after.text).toContain("It is revoked");
    expect((await bob.get("/tokens")).text).not.toContain("It is revoked");
  });

  test("stands on a page of fifty, the newest first", async () => {
    const bob = await signedIn("bob");
    for (let number = 1; number <= 51; number++) {
      expect(await bob.post("/tokens", { name: `many-${number}`, expires: "7d" })).toMatchObject({ status: 200 });
    }
    const namesOn = async (path: string): Promise<readonly string[]> =>
      [...(await bob.get(path)).text.matchAll(/many-\d+(?=<\/span><\/button>)/g)].map(([name]) => name);
    const first = await namesOn("/tokens");
    expect(first).toHaveLength(50);
    expect(new Set(first)).toContain("many-51");
    expect(await namesOn("/tokens?page=2")).toEqual(["many-1"]);
    expect(await namesOn("/tokens?page=99")).toEqual(["many-1"]);
    expect((await bob.get("/tokens")).text).toContain('href="/tokens?page=2"');
  });

  test.each([
    [{ name: "", expires: "7d" }, "It must be 1 to 64"],
    [{ name: "a b", expires: "7d" }, "It must be 1 to 64"],
    [{ name: "long", expires: "9999d" }, "It must be at most"],
    [{ name: "never", expires: "" }, "It must be a duration"],
    [
      { name: "wide", expires: "7d", repositories: "secret/app", actions: "pull" },
      "It may not pull there, since you may not",
    ],
    [
      { name: "wide", expires: "7d", repositories: "team/app", actions: "delete" },
      "It may not delete there, since you may not",
    ],
    [{ name: "wide", expires: "7d", repositories: "secret/app" }, "one that you may not use"],
    [{ name: "odd", expires: "7d", repositories: "A B", actions: "pull" }, "It must be a repository such as team/app"],
  ])("is refused at the field that is wrong, with what was typed: %j", async (fields: Record<string, string>, said) => {
    const bob = await signedIn("bob");
    const answer = await bob.post("/tokens", fields);
    expect(answer.status).toBe(400);
    expect(answer.text).toContain(said);
    expect(answer.text).toContain(`name="name" value="${fields.name}"`);
    expect(tokenIn(answer.text)).toBe("");
  });
});

test.each([...hostileNames, "alice"])(
  "the line for a shell is one for docker alone, whoever it is for: %j",
  async (name) => {
    const [unix] = loginLines("registry.example.com:5043", name, "rga_token");
    const script = `docker() { printf '%s\\n' "$#" "$1" "$3" "$5"; cat; }; ${unix?.line}`;
    expect(await run("sh", ["-c", script])).toBe(`5\nlogin\n${name}\nregistry.example.com:5043\nrga_token`);
  },
);

test("real docker logs in with a token of the page, pushes and is listed, until the token is revoked", async () => {
  // docker takes plain HTTP from a registry on the loopback interface.
  const [own, daemon] = await Promise.all([setStage(), startDockerd()]);
  onTestFinished(async () => {
    await daemon.close();
    await own.close();
  });
  const alice = visitor(own.url);
  await alice.signIn("alice", passwords.alice);
  await alice.get("/tokens");
  const token = tokenIn((await alice.post("/tokens", { name: "docker", expires: "7d" })).text);
  const { host } = new URL(own.url);
  const image = `${host}/team/app:page`;
  const login = await daemon.docker(["login", "--username", "alice", "--password-stdin", host], token);
  expect(login).toMatchObject({ code: 0 });
  await daemon.load(image, [{ "etc/version": "1\n" }]);
  expect(await daemon.docker(["push", "--quiet", image])).toMatchObject({ code: 0 });
  expect(JSON.parse((await alice.get("/v2/team/app/tags/list")).text).tags).toContain("page");
  await expect.poll(async () => (await alice.get("/activity")).text).toContain("pushed");
  const list = await alice.get("/tokens");
  expect(list.text).toMatch(/just now|minute/);
  const path = /action="(\/tokens\/[^"]+\/revoke)"/.exec(list.text)?.[1] ?? "";
  expect(await alice.post(path)).toMatchObject({ status: 303 });
  const refused = await daemon.docker(["push", "--quiet", image]);
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toMatch(/unauthorized|authentication required/i);
  expect(own.records.at(-1)?.status).toBe(401);
});
