import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { codeOf } from "../docs/markdown.ts";
import { runGate } from "../gateway/run-gate.ts";
import { basic } from "../support/basic.ts";
import { type DockerRegistry, startDockerRegistry } from "../support/docker-registry.ts";
import { type GateSettings, type RunningGate, startGate } from "../support/gate.ts";
import { type Slapd, startSlapd } from "../support/slapd.ts";

const readme = fileURLToPath(new URL("../../packages/passport/README.md", import.meta.url));
const { blocks, spans } = codeOf(await readFile(readme, "utf8"));

/** The blocks of the README in one language, in their order. */
function documented(language: string): readonly string[] {
  return blocks.filter((block) => block.language === language).map(({ code }) => code);
}

function installed(name: string): Record<string, string> {
  return { [name]: fileURLToPath(new URL(`../../packages/passport/node_modules/${name}`, import.meta.url)) };
}

let registry: DockerRegistry;
let slapd: Slapd;
beforeAll(async () => {
  [registry, slapd] = await Promise.all([startDockerRegistry(), startSlapd()]);
});
afterAll(async () => {
  await registry?.close();
  await slapd?.close();
});

/** Starts a gate by a configuration of the README, before this test's registry. */
async function start(yaml: string | undefined, more: Omit<GateSettings, "configuration">): Promise<RunningGate> {
  const configuration: { auth: { backends: { options: { server?: object } }[] } } = {
    ...parse(yaml ?? ""),
    listen: { address: "127.0.0.1:0" },
    upstream: { url: registry.url },
  };
  const [backend] = configuration.auth.backends;
  if (backend?.options.server !== undefined) Object.assign(backend.options.server, { url: slapd.tlsUrl });
  const gate = await startGate({ configuration, ...more });
  onTestFinished(() => gate.close());
  return gate;
}

const statusOf = async (gate: RunningGate, method: string, path: string, login: [string, string]) =>
  (await fetch(gate.url + path, { method, headers: basic(...login) })).status;

test("the example of a strategy in an own module accepts, rejects, and provides groups", async () => {
  const people = spans.find((span) => span.startsWith('{ "alice"')) ?? "";
  const gate = await start(documented("yaml")[0], {
    files: {
      "strategy.mjs": documented("js")[0] ?? "",
      "people.json": people.replace(/ }$/, ', "bob": { "password": "battery staple", "groups": [] } }'),
    },
    packages: installed("passport-http"),
  });
  const upload = "/v2/team/app/blobs/uploads/";
  expect(await statusOf(gate, "GET", "/v2/", ["alice", "correct horse"])).toBe(200);
  expect(await statusOf(gate, "POST", upload, ["alice", "correct horse"])).toBe(202);
  expect(await statusOf(gate, "GET", "/v2/", ["bob", "battery staple"])).toBe(200);
  expect(await statusOf(gate, "POST", upload, ["bob", "battery staple"])).toBe(403);
  expect(await statusOf(gate, "GET", "/v2/", ["alice", "wrong canary"])).toBe(401);
  expect(
    await gate.logged(({ reason }) => typeof reason === "string" && reason.includes("the strategy says")),
  ).toMatchObject({ reason: "passport: the strategy says no", decision: "unauthenticated" });
  await gate.settled();
  expect(gate.output()).not.toContain("canary");
});

test("the example of passport-ldapauth signs people in at OpenLDAP, and responds with 503 while it is away", async () => {
  const gate = await start(documented("yaml")[1], {
    files: { password: "gatepw\n", "ca.pem": await readFile(slapd.authority, "utf8") },
    packages: installed("passport-ldapauth"),
  });
  const upload = "/v2/team/app/blobs/uploads/";
  expect(await statusOf(gate, "POST", upload, ["alice", "alicepw"])).toBe(202);
  expect(await statusOf(gate, "GET", "/v2/", ["carol", "carolpw"])).toBe(200);
  expect(await statusOf(gate, "POST", upload, ["carol", "carolpw"])).toBe(403);
  expect(await statusOf(gate, "GET", "/v2/", ["alice", "bobpw"])).toBe(401);
  await slapd.stop();
  onTestFinished(() => slapd.start());
  expect(await statusOf(gate, "GET", "/v2/", ["bob", "bobpw"])).toBe(503);
  await gate.settled();
  expect(gate.output()).not.toMatch(/gatepw|bobpw|alicepw/);
});

test("a strategy is put in the place of another by a reload", async () => {
  const letting = (name: string) => `export default { authenticate() { this.success({ username: "${name}" }); } };`;
  const configuration = {
    listen: { address: "127.0.0.1:0" },
    upstream: { url: registry.url },
    auth: { backends: [{ type: "passport", module: "./strategy.mjs" }], cache: false },
  };
  const gate = await startGate({ configuration, files: { "strategy.mjs": letting("one") } });
  onTestFinished(() => gate.close());
  const who = async () => {
    await statusOf(gate, "GET", "/v2/", ["x", "y"]);
    await gate.settled();
    return gate.lines().findLast(({ username }) => username !== undefined)?.username;
  };
  expect(await who()).toBe("one");
  await gate.put("strategy.mjs", letting("two"));
  gate.kill("SIGHUP");
  await gate.logged(({ event }) => event === "reloaded");
  await expect.poll(who).toBe("two");
});

test("a fault is one line with its path, and nothing of the strategy's options", async () => {
  const gate = await startGate({
    configuration: {
      listen: { address: "127.0.0.1:0" },
      upstream: { url: registry.url },
      auth: { backends: [{ type: "passport", module: "./good.mjs" }] },
    },
    files: {
      "good.mjs": "export default { authenticate() { this.pass(); } };",
      "bad.mjs": "export default ({ token }) => { throw new Error(`${token} is too old`); };",
    },
    packages: installed("passport-http"),
  });
  onTestFinished(() => gate.close());
  const check = async (backend: object) => {
    await gate.put(
      "other.yaml",
      JSON.stringify({
        listen: { address: "127.0.0.1:0" },
        upstream: { url: registry.url },
        auth: { backends: [{ type: "passport", ...backend }] },
      }),
    );
    const { code, stderr } = await runGate(["check", "--config", "other.yaml"], { directory: gate.directory });
    return [code, stderr];
  };
  expect(await check({ module: "./good.mjs" })).toEqual([0, ""]);
  const at = "other.yaml: auth.backends[0]";
  expect(await check({ module: "./nowhere.mjs" })).toEqual([1, `${at}.module: no such file: ./nowhere.mjs\n`]);
  expect(await check({ module: "passport-saml" })).toEqual([
    1,
    `${at}.module: the package passport-saml is not installed where the configuration is\n`,
  ]);
  expect(await check({ module: "./bad.mjs", options: { token: "canary" } })).toEqual([
    1,
    `${at}.options: could not create a strategy: [secret] is too old; write a module that creates it\n`,
  ]);
  expect(await check({ module: "passport-http", export: "BasicStrategy", usernamefield: "x" })).toEqual([
    1,
    `${at}.usernamefield: is not a known key; did you mean usernameField?\n`,
  ]);
});

/** A strategy that fails where nobody catches it, in the way that the user's name says. */
const failingStrategy = `
  import { EventEmitter } from "node:events";
  const failures = {
    timer: () => setTimeout(() => { throw new RangeError("thrown in a timer, canary"); }, 5),
    rejection: () => void Promise.reject(new TypeError("nobody awaits it")),
    emitter: () => setTimeout(() => new EventEmitter().emit("error", new Error("nobody hears it")), 5),
    trap: () => setTimeout(() => { throw new Proxy(new Error(), { get() { throw new Error("do not look"); } }); }, 5),
    hanging: () => {},
  };
  export default function strategy() {
    return {
      name: "failing",
      authenticate({ body: { username } }) {
        const fail = failures[username];
        if (fail !== undefined) return fail();
        if (username === "afterwards") setTimeout(() => { throw new Error("canary after the answer"); }, 50);
        this.success({ username });
      },
    };
  }`;

describe("an uncaught error of a strategy", () => {
  const start503 = () =>
    startGate({
      configuration: {
        listen: { address: "127.0.0.1:0" },
        upstream: { url: registry.url },
        auth: {
          backends: [{ type: "passport", id: "strategies", module: "./strategy.mjs", timeout: "60s" }],
          cache: false,
        },
      },
      files: { "strategy.mjs": failingStrategy },
    });

  test.each([
    ["timer", "the strategy failed: thrown in a timer, [secret]"],
    ["rejection", "the strategy failed: nobody awaits it"],
    ["emitter", "the strategy failed: nobody hears it"],
    ["trap", "the strategy failed: an error that cannot be read"],
  ])("is that login's 503, logged with the backend's name, and no other's: %s", async (name, reason) => {
    const gate = await start503();
    onTestFinished(() => gate.close());
    const leaving = new AbortController();
    const others = fetch(`${gate.url}/v2/`, { headers: basic("hanging", "canary"), signal: leaving.signal });
    expect(await statusOf(gate, "GET", "/v2/", [name, "canary"])).toBe(503);
    expect(await gate.logged(({ backend, level }) => backend === "strategies" && level === "warn")).toMatchObject({
      err: { message: expect.stringContaining(reason) },
      msg: "a backend is unavailable",
    });
    expect(await statusOf(gate, "GET", "/v2/", ["alice", "canary"])).toBe(200);
    leaving.abort();
    await expect(others).rejects.toThrow();
    await gate.settled();
    expect(gate.lines().filter(({ status }) => status === 503)).toHaveLength(1);
    expect(gate.output()).not.toContain("canary");
  });

  test("after its response is logged by kind and place, without its message, and ends nothing", async () => {
    const gate = await start503();
    onTestFinished(() => gate.close());
    expect(await statusOf(gate, "GET", "/v2/", ["afterwards", "canary"])).toBe(200);
    expect(await gate.logged(({ backend, level }) => backend === "strategies" && level === "error")).toMatchObject({
      type: "Error",
      at: expect.stringContaining("strategy.mjs"),
      msg: "uncaught error in the strategy, outside any single login",
    });
    expect(await statusOf(gate, "GET", "/v2/", ["alice", "canary"])).toBe(200);
    await gate.settled();
    expect(gate.output()).not.toContain("canary");
  });

  test("ends `check --connect` with a failed step", async () => {
    const gate = await start503();
    onTestFinished(() => gate.close());
    const { code, stderr } = await runGate(
      ["check", "--config", "registry-gate.yaml", "--connect", "--user", "timer"],
      { directory: gate.directory, input: "canary\n" },
    );
    expect(code).toBe(1);
    expect(stderr).toContain("thrown in a timer, [secret]");
    expect(stderr).not.toContain("canary");
  });
});

test("an entry with two names is 503 with the README's own passport-ldapauth, and the gate goes on", async () => {
  const gate = await start(documented("yaml")[1], {
    files: { password: "gatepw\n", "ca.pem": await readFile(slapd.authority, "utf8") },
    packages: installed("passport-ldapauth"),
  });
  await slapd.modify(
    ["dn: uid=bob,ou=people,dc=example,dc=org", "changetype: modify", "add: uid", "uid: bobby", ""].join("\n"),
  );
  onTestFinished(() =>
    slapd.modify(
      ["dn: uid=bob,ou=people,dc=example,dc=org", "changetype: modify", "delete: uid", "uid: bobby", ""].join("\n"),
    ),
  );
  expect(await statusOf(gate, "GET", "/v2/", ["bobby", "bobpw"])).toBe(503);
  expect(await gate.logged(({ backend, level }) => backend === "passport" && level === "warn")).toMatchObject({
    err: { message: expect.stringContaining("the strategy failed") },
  });
  expect(await statusOf(gate, "GET", "/v2/", ["alice", "alicepw"])).toBe(200);
});

test("a group of the same name somewhere below is not the group, with the README's own passport-ldapauth", async () => {
  const gate = await start(documented("yaml")[1], {
    files: { password: "gatepw\n", "ca.pem": await readFile(slapd.authority, "utf8") },
    packages: installed("passport-ldapauth"),
  });
  const below = "ou=projects,ou=groups,dc=example,dc=org";
  await slapd.modify(
    [
      ...[`dn: ${below}`, "changetype: add", "objectClass: organizationalUnit", "ou: projects", ""],
      ...[`dn: cn=developers,${below}`, "changetype: add", "objectClass: groupOfNames", "cn: developers"],
      ...["member: uid=carol,ou=people,dc=example,dc=org", ""],
    ].join("\n"),
  );
  onTestFinished(() =>
    slapd.modify(
      [`dn: cn=developers,${below}`, "changetype: delete", "", `dn: ${below}`, "changetype: delete", ""].join("\n"),
    ),
  );
  expect(await statusOf(gate, "GET", "/v2/", ["carol", "carolpw"])).toBe(200);
  expect(await statusOf(gate, "POST", "/v2/team/app/blobs/uploads/", ["carol", "carolpw"])).toBe(403);
});
