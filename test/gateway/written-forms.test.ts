import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { basic } from "../support/basic.ts";
import { startGate } from "../support/gate.ts";
import { passwordFile } from "../support/password-file.ts";
import { runGate } from "./run-gate.ts";

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "written-forms-"));
  await writeFile(join(directory, "htpasswd"), await passwordFile({ alice: "secret" }));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

const good = {
  listen: { address: "127.0.0.1:5043" },
  upstream: { url: "http://127.0.0.1:1" },
  auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] as object[] },
};

async function check(configuration: object | string, environment: Readonly<Record<string, string>> = {}) {
  const content = typeof configuration === "string" ? configuration : JSON.stringify(configuration);
  await writeFile(join(directory, "gate.yaml"), content);
  return runGate(["check", "--config", "gate.yaml"], { directory, environment });
}

describe("a port without a host", () => {
  test.each([0, "0", ":0", "*:0"])("written as %j is listened on at every address", async (address) => {
    const gate = await startGate({
      configuration: { ...good, listen: { address } },
      files: { htpasswd: await passwordFile({ alice: "secret" }) },
    });
    try {
      const port = new URL(gate.url).port;
      for (const host of ["127.0.0.1", "127.0.0.9"]) {
        const response = await fetch(`http://${host}:${port}/v2/`, { headers: basic("alice", "wrong") });
        expect(response.status).toBe(401);
      }
    } finally {
      await gate.close();
    }
  });

  test("in use is named as it was written", async () => {
    const gate = await startGate({
      configuration: { ...good, listen: { address: ":0" } },
      files: { htpasswd: "alice:x\n" },
    });
    try {
      const port = Number(new URL(gate.url).port);
      await writeFile(join(directory, "gate.yaml"), JSON.stringify({ ...good, listen: { address: port } }));
      const { code, stderr } = await runGate(["serve", "--config", "gate.yaml"], { directory });
      expect({ code, stderr }).toEqual({ code: 1, stderr: `gate.yaml: listen.address: *:${port} is in use\n` });
    } finally {
      await gate.close();
    }
  });
});

describe("a duration", () => {
  const ldap = {
    type: "ldap",
    urls: ["ldaps://127.0.0.1"],
    searchBase: "dc=example,dc=com",
    groups: { searchBase: "dc=example,dc=com" },
  };
  const jwt = { type: "sso-jwt", jwks: "https://127.0.0.1/jwks", issuer: "i", audience: "a" };
  const withBackends = (...backends: object[]) => ({ ...good, auth: { backends } });

  test.each([
    ["of the gate", { ...good, upstream: { ...good.upstream, readTimeout: 5 } }, "upstream.readTimeout"],
    ["of ldap", withBackends({ ...ldap, timeout: 5 }), "auth.backends[0].timeout"],
    ["of a part of ldap", withBackends(ldap, { ...ldap, pool: { idle: 5 } }), "auth.backends[1].pool.idle"],
    ["of sso-jwt", withBackends({ ...jwt, jwksTimeout: 5 }), "auth.backends[0].jwksTimeout"],
    ["of passport", withBackends({ type: "passport", module: "x", timeout: 5 }), "auth.backends[0].timeout"],
  ])("%s without a unit is refused, with the unit that may be meant", async (_, configuration, path) => {
    const { code, stderr } = await check(configuration);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `gate.yaml: ${path}: must be a duration with a unit: write 5s\n`,
    });
  });

  test("longer than a timer can wait cuts nothing short", async () => {
    const long = "40d";
    const gate = await startGate({
      configuration: {
        listen: { address: "127.0.0.1:0", headersTimeout: long },
        upstream: { url: "http://127.0.0.1:1", readTimeout: long, connectTimeout: long },
        auth: {
          backends: [{ type: "htpasswd", file: "htpasswd" }],
          cache: { ttl: long },
          throttle: { perAddress: `5/${long}`, backoff: `1s..${long}` },
        },
      },
      files: { htpasswd: await passwordFile({ alice: "secret" }) },
    });
    try {
      expect((await fetch(`${gate.url}/v2/`, { headers: basic("alice", "secret") })).status).toBe(502);
      expect(gate.besideLog()).not.toContain("TimeoutOverflowWarning");
    } finally {
      await gate.close();
    }
  });
});

describe("an environment variable that is a whole value", () => {
  const configuration = {
    ...good,
    listen: { address: "${PORT}", maxConnections: "${MANY}" },
    auth: { backends: [{ type: "htpasswd", file: "${FILE}", hashConcurrency: "${MANY}", allowPlaintext: "${PLAIN}" }] },
  };
  const environment = { PORT: "127.0.0.1:5043", MANY: "2", FILE: "htpasswd", PLAIN: "false" };

  test("becomes a number or boolean if the option needs one, in backends too", async () => {
    expect(await check(configuration, environment)).toEqual({ code: 0, stdout: "gate.yaml: ok\n", stderr: "" });
  });

  test("is refused at the option where it is neither", async () => {
    const { stderr } = await check(configuration, { ...environment, MANY: "two", PLAIN: "no" });
    expect(stderr.split("\n")).toEqual([
      "gate.yaml: listen.maxConnections: must be a whole number",
      "gate.yaml: auth.backends[0].allowPlaintext: must be true or false",
      "gate.yaml: auth.backends[0].hashConcurrency: must be a whole number from 1 to 1024",
      "",
    ]);
  });

  test("does not make a number of a text in the file", async () => {
    const [backend] = configuration.auth.backends;
    const quoted = { ...configuration, auth: { backends: [{ ...backend, hashConcurrency: "2" }] } };
    expect(await check(quoted, environment)).toMatchObject({
      code: 1,
      stderr: "gate.yaml: auth.backends[0].hashConcurrency: must be a whole number from 1 to 1024\n",
    });
  });
});

test("suggests quotes for a number in place of text", async () => {
  const ldap = {
    type: "ldap",
    urls: ["ldaps://127.0.0.1"],
    searchBase: "dc=example",
    bindDN: "cn=gate",
    bindPassword: 12345,
  };
  const { stderr } = await check({ ...good, auth: { realm: true, backends: [ldap] } });
  expect(stderr).toBe(
    "gate.yaml: auth.realm: must be text: put it in quotes\n" +
      "gate.yaml: auth.backends[0].bindPassword: must be text: put it in quotes\n",
  );
});

test("reports a glob without quotes in one line with its position", async () => {
  const { code, stderr } = await check(
    `${JSON.stringify(good).slice(0, -1)}, access: [{ subjects: [authenticated], repositories: [**], actions: [pull] }] }`,
  );
  expect(code).toBe(1);
  expect(stderr).toMatch(/^gate\.yaml: line 1, column \d+: \* begins an alias in YAML .* quotes\n$/);
});

test.each(["[", '{"a": '])("says of %j without end that it is nested too deeply", async (opening) => {
  const { code, stderr } = await check(opening.repeat(3000));
  expect(code).toBe(1);
  expect(stderr).toMatch(/^gate\.yaml: line 1, column \d+: is nested too deeply\n$/);
});
