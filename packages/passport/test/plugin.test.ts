import { mkdir, mkdtemp, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type AuthBackend, InvalidOptionsError } from "@registry-gate/auth";
import { authRequest, basicAsk, pluginContract, recordingLog } from "@registry-gate/auth-testkit";
import { plugin } from "@registry-gate/passport";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { summary } from "./people.ts";

const directory = await mkdtemp(join(tmpdir(), "passport-plugin-"));

const files = {
  "ready.mjs": `
    export const strategy = { name: "ready", authenticate() { this.success({ username: "ready" }); },
      close() { globalThis.closedReady = true; } };
    export default strategy;`,
  "factory.mjs": `
    export default async ({ secret }, { baseDirectory, id }) => ({
      authenticate(request) {
        if (request.body.password === secret) this.success({ account: { uid: request.body.username }, teams: ["a", "b"] });
        else this.fail(id + " in " + baseDirectory);
      },
      close() { globalThis.closedStrategies = (globalThis.closedStrategies ?? 0) + 1; },
    });
    export const nothing = () => ({});
    export const number = 5;
    export const slow = () => new Promise(() => {});
    export const failing = ({ token }) => { throw new Error("no " + token + " for me"); };
    export class Picky { constructor(options, verify) { if (!verify) throw new TypeError("a verify callback is required"); }
      authenticate() {} }`,
  "broken.mjs": "export default class {",
  "throwing.mjs": "throw new Error('not today');",
  "empty.mjs": "export const other = 1;",
  secret: "hunter2 canary\n",
};

beforeAll(async () => {
  for (const [name, content] of Object.entries(files)) await writeFile(join(directory, name), content);
  await mkdir(join(directory, "node_modules"));
  for (const name of ["passport-http", "passport-ldapauth", "passport-jwt"]) {
    const installed = fileURLToPath(new URL(`../node_modules/${name}`, import.meta.url));
    await symlink(installed, join(directory, "node_modules", name));
  }
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const open = (options: object): Promise<AuthBackend> =>
  plugin.open(options, { id: "portal", baseDirectory: directory, log: recordingLog().log, warn() {} });
const told = async (backend: AuthBackend, password = "x") =>
  summary(await backend.authenticate(authRequest(basicAsk("alice", password))));

const contract = pluginContract({
  plugin,
  baseDirectory: directory,
  options: () => ({
    module: "passport-ldapauth",
    options: { server: { url: "ldaps://127.0.0.1:1", searchBase: "dc=x", searchFilter: "(uid={{username}})" } },
    optionFiles: { "server.bindCredentials": "secret" },
    usernameField: "uid",
    timeout: "2s",
  }),
  refused: [
    { options: {}, paths: [["module"]] },
    { options: { module: "" }, paths: [["module"]] },
    { options: { module: "./nowhere.mjs" }, paths: [["module"]] },
    { options: { module: "passport-nowhere" }, paths: [["module"]] },
    { options: { module: "./broken.mjs" }, paths: [["module"]] },
    { options: { module: "./throwing.mjs" }, paths: [["module"]] },
    { options: { module: "./empty.mjs" }, paths: [["module"]] },
    { options: { module: "./factory.mjs", export: "NoResult" }, paths: [["export"]] },
    { options: { module: "./factory.mjs", export: "nothing" }, paths: [["export"]] },
    { options: { module: "./factory.mjs", export: "number" }, paths: [["export"]] },
    { options: { module: "./factory.mjs", export: "Picky" }, paths: [["options"]] },
    { options: { module: "./factory.mjs", export: "slow", timeout: 20 }, paths: [["options"]] },
    { options: { module: "passport-http", export: "BasicStrategy" }, paths: [["options"]] },
    { options: { module: "passport-jwt", options: { secretOrKey: "x" } }, paths: [["options"]] },
    {
      options: {
        module: "./factory.mjs",
        optionFiles: { a: "nowhere", "b.c": "secret", b: "secret", "x.y": "nowhere" },
      },
      paths: [
        ["optionFiles", "a"],
        ["optionFiles", "b"],
        ["optionFiles", "x.y"],
      ],
    },
    {
      options: {
        ...{ module: "./factory.mjs", timeout: "0s", schemes: ["digest"], credentialHeaders: ["a b"], options: [] },
        ...{ usernameField: "a..b", formFields: { user: "x" } },
      },
      paths: [
        ...[["timeout"], ["schemes", 0], ["credentialHeaders", 0], ["options"], ["usernameField"]],
        ["formFields", "user"],
      ],
    },
  ],
});
for (const { name, run } of contract) test(`the plugin ${name}`, run);

describe("a strategy in a file of the user's own", () => {
  test("is made by the function that it exports, with the options and the texts of files", async () => {
    const backend = await open({
      module: "./factory.mjs",
      optionFiles: { secret: "secret" },
      usernameField: "account.uid",
      groupsField: "teams",
    });
    expect(await told(backend, "hunter2 canary")).toBe("alice in a b");
    expect(await backend.authenticate(authRequest(basicAsk("alice", "wrong")))).toEqual({
      status: "rejected",
      reason: `the strategy says: portal in ${directory}`,
    });
    await backend.close?.();
    await backend.close?.();
    expect(Reflect.get(globalThis, "closedStrategies")).toBe(1);
  });

  test("is taken as it is where it is one, and stays open for the next", async () => {
    const backend = await open({ module: "./ready.mjs" });
    expect(await told(backend)).toBe("ready in ");
    await backend.close?.();
    const next = await open({ module: join(directory, "ready.mjs"), export: "strategy" });
    expect(await told(next)).toBe("ready in ");
    expect(Reflect.has(globalThis, "closedReady")).toBe(false);
  });

  test("is loaded again once it has changed", async () => {
    const file = join(directory, "changing.mjs");
    const saying = (name: string) => `export default { authenticate() { this.success({ username: "${name}" }); } };`;
    await writeFile(file, saying("before"));
    expect(await told(await open({ module: "./changing.mjs" }))).toBe("before in ");
    await writeFile(file, saying("after"));
    await utimes(file, new Date(), new Date(Date.now() + 5000));
    expect(await told(await open({ module: "./changing.mjs" }))).toBe("after in ");
  });
});

describe("a fault", () => {
  const messageOf = async (options: object) => {
    const error = await open(options).catch((reason: unknown) => reason);
    return error instanceof InvalidOptionsError ? error.message : `no fault: ${String(error)}`;
  };

  test("says that a strategy needs what a configuration cannot give", async () => {
    expect(await messageOf({ module: "passport-http", export: "BasicStrategy" })).toBe(
      "options: could not create a strategy: HTTP Basic authentication strategy requires a verify function; " +
        "write a module that creates it",
    );
  });

  test("reveals no text of the options", async () => {
    const message = await messageOf({ module: "./factory.mjs", export: "failing", options: { token: "canary" } });
    expect(message).toContain("no [secret] for me");
  });

  test("says what is wrong with a module", async () => {
    expect(await messageOf({ module: "./throwing.mjs" })).toContain("./throwing.mjs cannot be loaded: not today");
    expect(await messageOf({ module: "passport-nowhere" })).toBe(
      "module: the package passport-nowhere is not installed where the configuration is",
    );
    expect(await messageOf({ module: "./empty.mjs" })).toContain("set export");
  });
});

test("options that would reach every object have no place", async () => {
  await expect(
    open({ module: "./factory.mjs", optionFiles: { "__proto__.polluted": "secret", "a.__proto__": "secret" } }),
  ).rejects.toThrow("optionFiles.__proto__.polluted");
  expect(Reflect.get({}, "polluted")).toBeUndefined();
});

test("headers are named as in the configuration's other places, in any case", async () => {
  const backend = await open({
    module: "./ready.mjs",
    credentialHeaders: ["X-Api-Key", "x-api-key"],
    schemes: ["bearer"],
  });
  expect(backend.credentialHeaders).toEqual(["x-api-key"]);
  expect(await told(backend)).toBe("abstained");
});
