import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { basic } from "../support/basic.ts";
import { type DockerRegistry, startDockerRegistry } from "../support/docker-registry.ts";
import { settled } from "../support/gate.ts";
import { type ReadServer, startLoggedServer } from "../support/logged-server.ts";
import { passwordFile } from "../support/password-file.ts";
import { pushImage } from "../support/registry-content.ts";
import { runCommand } from "../support/run.ts";
import { type Acme, acmePackage, installAcme } from "./acme.ts";
import { type Service, startService } from "./acme-backend/test/service.ts";

const key = "acme-key-0123456789";

let acme: Acme;
let service: Service;
let registry: DockerRegistry;

beforeAll(async () => {
  acme = await installAcme();
  service = await startService(key);
  registry = await startDockerRegistry();
  await writeFile(join(acme.directory, "accounts.key"), `${key}\n`);
  await writeFile(join(acme.directory, "htpasswd"), await passwordFile({ robot: "robot-password" }));
}, 300_000);

afterAll(async () => {
  await service?.stop();
  await registry?.close();
  await acme?.close();
});

const accounts = (more: object = {}): object => ({
  type: acmePackage,
  url: service.url,
  keyFile: "accounts.key",
  groups: { "Release Engineering": "pushers" },
  ...more,
});

const configuration = (...backends: readonly object[]): object => ({
  listen: { address: "127.0.0.1:0" },
  upstream: { url: registry.url },
  auth: { backends },
  access: [
    { subjects: ["authenticated"], repositories: ["**"], actions: ["pull"] },
    { subjects: ["group:pushers"], repositories: ["team/**"], actions: ["pull", "push"] },
  ],
});

test("the package has fewer than 40 lines of code, because the rest is in the kit", async () => {
  const sources = await readdir(join(import.meta.dirname, "acme-backend/src"), {
    recursive: true,
    withFileTypes: true,
  });
  const files = sources.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  expect(files).not.toHaveLength(0);
  const texts = await Promise.all(files.map((file) => readFile(file, "utf8")));
  const code = texts.flatMap((text) => text.split("\n")).filter((line) => /^\s*(?!\/[/*]|\*)\S/.test(line));
  expect(code.length).toBeLessThan(40);
});

test("the package keeps the contract by its own tests, with the kit as it is published", () => {
  expect(acme.ownTests).toMatch(/^# pass (?:2\d|[3-9]\d)$/m);
  expect(acme.ownTests).toMatch(/^# fail 0$/m);
});

describe("check", () => {
  test("finds good options good", async () => {
    expect(await acme.check(configuration(accounts()))).toEqual({ code: 0, stdout: "gate.yaml: ok\n", stderr: "" });
  });

  test("names every fault of the package's own options by its path, and what may have been meant", async () => {
    const wrong = { url: "ldap://accounts", groups: { "Release Engineering": 7 }, timeOut: "5s" };
    const { code, stderr } = await acme.check(configuration(accounts(), accounts(wrong)));
    expect(code).toBe(1);
    expect(stderr.trimEnd().split("\n").sort()).toEqual([
      "gate.yaml: auth.backends[1].groups.Release Engineering: must be the name of a group",
      "gate.yaml: auth.backends[1].timeOut: is not a known key; did you mean timeout?",
      "gate.yaml: auth.backends[1].url: must be a URL with https:// or http://",
    ]);
  });
});

test("check names a file of the package's own options that is missing", async () => {
  const { code, stderr } = await acme.check(configuration(accounts({ keyFile: "missing" })));
  expect(code).toBe(1);
  expect(stderr).toBe(`gate.yaml: auth.backends[0].keyFile: no such file: ${join(acme.directory, "missing")}\n`);
});

describe("serve", () => {
  let gate: ReadServer;
  let url: string;

  beforeAll(async () => {
    const file = join(acme.directory, "serve.yaml");
    await writeFile(file, JSON.stringify(configuration(accounts(), { type: "htpasswd", file: "htpasswd" })));
    gate = await startLoggedServer({
      command: process.execPath,
      parameters: [acme.program, "serve", "--config", file],
      directory: acme.directory,
      log: "stdout",
      addressIn: ({ event, address }) => (event === "listening" && typeof address === "string" ? address : undefined),
    });
    url = `http://${gate.address}`;
  });
  afterAll(() => gate?.close());

  const statusOf = async (username: string, password: string, method = "GET", path = "/v2/"): Promise<number> =>
    (await fetch(url + path, { method, headers: basic(username, password) })).status;

  test("the package's users push and pull as its groups and the rules say", async () => {
    await pushImage({ url, headers: basic("ann", "ann-password") }, "team/app", "v1", "a layer");
    const uploads = "/v2/team/app/blobs/uploads/";
    expect(await statusOf("ben", "ben-password", "GET", "/v2/team/app/tags/list")).toBe(200);
    expect(await statusOf("ben", "ben-password", "POST", uploads)).toBe(403);
    expect(await statusOf("ann", "ben-password", "POST", uploads)).toBe(401);
    const record = await gate.logged(({ decision, repository }) => decision === "denied" && repository === "team/app");
    expect(record).toMatchObject({ username: "ben", backend: acmePackage });
  });

  test("whom the package does not know, the next backend may", async () => {
    expect(await statusOf("robot", "robot-password")).toBe(200);
    expect(await statusOf("eve", "robot-password")).toBe(401);
  });

  test("what the package cannot find out is 503, and others are let in as before", async () => {
    await service.stop();
    try {
      // Nobody has looked at this password yet; one that was good a moment ago is remembered.
      expect(await statusOf("ann", "another-password")).toBe(503);
      expect(await statusOf("robot", "robot-password")).toBe(200);
    } finally {
      await service.start();
    }
    expect(await statusOf("ann", "another-password")).toBe(401);
  });

  test("writes no secret to the log", async () => {
    await settled(url, gate);
    expect(gate.output()).toContain(acmePackage);
    expect(gate.output()).not.toMatch(/ann-password|ben-password|another-password|acme-key/);
  });
});

describe("an invalid package is reported in one line:", () => {
  const opening = (body: string): string => `export const plugin = { type: "x", apiVersion: 1, open() { ${body} } };`;
  const noBackend = "the package broken did not return a valid backend";
  const invalid = (faults: string): string =>
    opening(`throw Object.assign(new Error("wrong\\noptions"), { code: "INVALID_OPTIONS", faults: ${faults} });`);

  test.each<[string, string, string]>([
    ["no plugin", "export const backend = {};", ".type: the package broken does not export a plugin"],
    [
      "a plugin by another name",
      'export default { type: "x", apiVersion: 1, open: async () => ({}) };',
      ".type: the package broken does not export a plugin",
    ],
    [
      "another version of the contract",
      'export const plugin = { type: "x", apiVersion: 2, open: async () => ({}) };',
      ".type: the package broken is for version 2 of the backend contract; this gate needs version 1",
    ],
    [
      "no version",
      'export const plugin = { type: "x", open: async () => ({}) };',
      ".type: the package broken is for version undefined of the backend contract; this gate needs version 1",
    ],
    [
      "no open",
      "export const plugin = { apiVersion: 1 };",
      ".type: the plugin of the package broken has no open function",
    ],
    [
      "a mistake in its syntax",
      "export const plugin = {",
      ".type: the package broken cannot be loaded: Unexpected end of input",
    ],
    [
      "an error while it is loaded",
      'throw new Error("there is no licence\\nfor this machine");',
      ".type: the package broken cannot be loaded: there is no licence",
    ],
    ["an open that throws", opening('throw new Error("no\\nway");'), ": cannot be opened: no"],
    [
      "an open that throws an error without a word",
      opening("throw new RangeError();"),
      ": cannot be opened: RangeError",
    ],
    [
      "an open that throws what is no error",
      opening('throw { password: "secret" };'),
      ": cannot be opened: a value that is not an Error was thrown",
    ],
    ["an open that refuses options without a fault", invalid("[]"), ": cannot be opened: wrong"],
    ["an open whose faults are none", invalid("[{ where: 5 }]"), ": cannot be opened: wrong"],
    ["a fault of two lines", invalid('[{ path: ["a", 0], message: "one\\ntwo" }]'), ".a[0]: one"],
    ["an open that gives nothing", opening(""), `.type: ${noBackend}`],
    ["a backend without an id", opening("return { authenticate() {} };"), `.type: ${noBackend}: it has no id`],
    ["a backend that lets nobody in", opening('return { id: "x" };'), `.type: ${noBackend}: it has no authenticate`],
    [
      "a backend whose listener is none",
      opening('return { id: "x", authenticate() {}, onChange: true };'),
      `.type: ${noBackend}: it has a member onChange that is not a function`,
    ],
    [
      "a backend whose headers are not in lower case",
      opening('return { id: "x", authenticate() {}, credentialHeaders: ["X-User"] };'),
      `.type: ${noBackend}: it has credentialHeaders that are not names of headers in lower case, authorization left out`,
    ],
    [
      "an open that never ends",
      opening("return new Promise(() => {});"),
      ": cannot be opened: it did not open within 10 s",
    ],
  ])("%s", async (_, source, fault) => {
    await acme.addPackage("broken", source);
    // Beside a good one, which must not be served without it.
    expect(await acme.check(configuration({ type: "htpasswd", file: "htpasswd" }, { type: "broken" }))).toEqual({
      code: 1,
      stdout: "",
      stderr: `gate.yaml: auth.backends[1]${fault}\n`,
    });
  });

  test("one that is not installed", async () => {
    const { code, stderr } = await acme.check(configuration({ type: "@acme/registry-gate-auth-acounts" }));
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^gate\.yaml: auth\.backends\[0\]\.type: is neither a known backend \([a-z, -]+\) nor an installed package\n$/,
    );
  });

  test("and the gate does not start with it", async () => {
    await acme.addPackage("broken", opening('throw new Error("no");'));
    await writeFile(join(acme.directory, "broken.yaml"), JSON.stringify(configuration(accounts(), { type: "broken" })));
    const parameters = [acme.program, "serve", "--config", "broken.yaml"];
    expect(await runCommand(process.execPath, parameters, { directory: acme.directory })).toMatchObject({
      code: 1,
      stderr: "broken.yaml: auth.backends[1]: cannot be opened: no\n",
    });
  });
});
