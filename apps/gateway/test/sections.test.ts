import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { configurationSchema, substitutes, toConfigurationPath } from "../src/config/configuration.ts";
import { loadConfiguration } from "../src/config/load.ts";
import { readConfiguration } from "../src/config/parse.ts";
import { proxyOptions } from "../src/gate/proxy-options.ts";

/** Every key that there is, but for alternatives. */
const whole = {
  listen: {
    address: "unix:run/socket",
    socketMode: "0660",
    socketGroup: "docker",
    shared: true,
    tls: {
      certificate: "tls/crt.pem",
      key: "tls/key.pem",
      clientCa: "/etc/ca.pem",
      clientAuth: "optional",
      minVersion: "TLSv1.3",
      ciphers: "ALL",
    },
    trustedProxies: ["10.0.0.0/8"],
    cors: { origins: ["https://ui.example.com"], credentials: true },
    healthPath: "/healthz",
    drainTimeout: "1m",
    headersTimeout: "1m",
    maxConnections: 1,
  },
  upstream: {
    url: "http://r",
    readTimeout: "1m",
    connectTimeout: "1m",
    maxConnections: 1,
    ca: "ca.pem",
    credentials: { username: "gate", passwordFile: "password" },
    cache: { maxSize: "1MiB", maxEntry: "1KiB", ttl: "0s", maxAge: "1h" },
    transport: "auto",
  },
  auth: {
    realm: "R",
    challenge: "bearer",
    token: { ttl: "1m", refreshTtl: "0s", uploadGrace: "0s", realm: "https://r/v2/auth", service: "r" },
    backends: [{ type: "htpasswd", file: "htpasswd" }],
    cache: { ttl: "1m", maxEntries: 1 },
    throttle: { perAddress: "9/1m", perUserAndAddress: "9/1m", backoff: "1s..2s", ipv6Prefix: 56 },
  },
  keys: { file: "keys.json" },
  access: [{ subjects: ["anonymous"], repositories: ["**"], actions: ["pull"] }],
  limits: { inFlight: 1, inFlightPerClient: 1, minRate: 0, connectionsPerAddress: 1 },
  log: { level: "info", attemptedNames: false },
  state: { file: "state.db" },
  workers: 2,
  admin: { address: "127.0.0.1:9043", drainDelay: "1s", requires: ["registry"] },
  audit: { output: { file: "audit.jsonl", maxSize: "64KiB", keep: 2 }, events: ["push"], onFailure: "block" },
  events: [
    {
      url: "https://ci.example.com/hook",
      secretFile: "hook-secret",
      on: ["push", "pull"],
      ca: "hook-ca.pem",
      timeout: "1s",
      queueFile: "/var/lib/queue.db",
      maxQueued: 1,
    },
  ],
  maintenance: { readOnly: true, file: "run/read-only" },
  portal: {
    path: "/portal",
    title: "Images",
    signIn: "oidc",
    header: { signOutUrl: "https://proxy.example.com/out" },
    oidc: {
      issuer: "https://login.example.com",
      clientId: "portal",
      clientSecretFile: "oidc-secret",
      scopes: ["openid"],
      usernameClaim: "email",
      groupsClaim: "groups",
    },
    secretsFile: "portal-secrets",
    sessions: { idle: "1h", lifetime: "8h", recheck: "1m" },
    cookie: { secure: true },
    authorityFile: "authority.pem",
    adminGroups: ["admins"],
  },
};
/** Keys that cannot stand beside those above. */
const alternatives: Readonly<Record<string, readonly string[]>> = { state: ["redis"] };

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "sections-"));
});

afterAll(() => rm(directory, { recursive: true, force: true }));

async function load(value: object) {
  const file = join(directory, "registry-gate.json");
  await writeFile(file, JSON.stringify(value));
  return (await loadConfiguration(file, {})).configuration;
}

test("this test knows every key of every section", () => {
  const { properties } = z.object({ properties: z.record(z.string(), z.unknown()) }).parse(written());
  for (const [section, value] of Object.entries(whole)) {
    const schema = z.object({ properties: z.record(z.string(), z.unknown()) }).safeParse(properties[section]);
    const keys = [...Object.keys(value), ...(alternatives[section] ?? [])];
    if (schema.success) expect(keys, section).toEqual(Object.keys(schema.data.properties));
  }
  expect(Object.keys(whole)).toEqual(Object.keys(properties));
});

test("makes every relative path absolute but those of backends, and leaves absolute ones alone", async () => {
  const inDirectory = (path: string): string => join(directory, path);
  expect(await load(whole)).toMatchObject({
    listen: {
      address: { socket: inDirectory("run/socket") },
      tls: { certificate: inDirectory("tls/crt.pem"), key: inDirectory("tls/key.pem"), clientCa: "/etc/ca.pem" },
    },
    upstream: { ca: inDirectory("ca.pem"), credentials: { username: "gate", passwordFile: inDirectory("password") } },
    auth: { backends: [{ file: "htpasswd" }] },
    keys: { file: inDirectory("keys.json") },
    state: { file: inDirectory("state.db") },
    events: [
      { secretFile: inDirectory("hook-secret"), ca: inDirectory("hook-ca.pem"), queueFile: "/var/lib/queue.db" },
    ],
    maintenance: { file: inDirectory("run/read-only") },
    audit: {
      output: { file: inDirectory("audit.jsonl"), maxSize: 65_536, keep: 2 },
      events: ["push"],
      onFailure: "block",
    },
  });
  const bearer = { ...whole, upstream: { url: "http://r", credentials: { bearerFile: "token" } } };
  expect((await load(bearer)).upstream.credentials).toEqual({ bearerFile: inDirectory("token") });
});

test("loses no key when it makes paths absolute", async () => {
  const { configuration } = readConfiguration(JSON.stringify(whole), {});
  const keys = (value: unknown): unknown =>
    typeof value !== "object" || value === null
      ? typeof value
      : Object.fromEntries(Object.entries(value).map(([key, item]) => [key, keys(item)]));
  expect(keys(await load(whole))).toEqual(keys(configuration));
});

test("finds each option of the middleware at a key of the configuration", async () => {
  const { ca: _, ...upstream } = whole.upstream;
  const configuration = await load({ ...whole, upstream });
  const options = await proxyOptions(configuration, undefined, undefined, undefined);
  expect(Object.keys(options).length).toBeGreaterThan(5);
  for (const key of Object.keys(options)) {
    const found = toConfigurationPath([key]).reduce<unknown>((node, step) => Reflect.get(Object(node), step), whole);
    expect(found, key).toBeDefined();
  }
});

test.each(substitutes)("accepts the substitute at $path in the place of what is required", ({ path, value }) => {
  const place = path.map((key) => (key === "*" ? 0 : key));
  const put = (node: unknown, [key, ...deeper]: typeof place): unknown => {
    if (key === undefined) return value;
    const changed = put(Reflect.get(Object(node), key), deeper);
    return Array.isArray(node)
      ? node.map((item: unknown, index) => (index === key ? changed : item))
      : { ...Object(node), [key]: changed };
  };
  expect(readConfiguration(JSON.stringify(put(whole, place)), {}).faults).toEqual([]);
});

function written(): unknown {
  return z.toJSONSchema(configurationSchema, { io: "input" });
}
