import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { basic } from "../support/basic.ts";
import { exchangeRaw } from "../support/raw-client.ts";
import { type Caller, startUpload } from "../support/registry-content.ts";
import { type Canary, internalsIn, leaksIn } from "./canaries.ts";
import { requestsOf } from "./requests.ts";
import { type Scene, secrets, startScene } from "./scene.ts";

let scene: Scene;
/** Every response, with its head. */
const responses: string[] = [];
const statuses = new Map<number, number>();
/** What the registry gave out by itself, which is its client's to know, and not the log's. */
const states: string[] = [];
let requests = 0;

const planted: readonly Canary[] = Object.entries(secrets).map(([name, secret]) => ({ name, secret }));

/** Sends the series as everybody; of the requests only one in `step`. */
async function sendAll(step = 1): Promise<void> {
  for (const login of scene.logins.values()) {
    for (const bytes of requestsOf(login).filter((_, index) => index % step === 0)) {
      // What is not the registry's is answered, and no line is written.
      if (!bytes.startsWith("GET /canary")) requests++;
      const [response] = await exchangeRaw(scene.gate.url, bytes);
      if (response === undefined) throw new Error(`no response to ${JSON.stringify(bytes.slice(0, 200))}`);
      statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
      responses.push([...response.headers].map(([name, value]) => `${name}: ${value}\n`).join("") + response.body);
    }
  }
}

const count = (event: string): number => scene.gate.lines().filter((line) => line.event === event).length;

beforeAll(async () => {
  scene = await startScene();
  const { gate, configuration, slapd, relay } = scene;
  const alice: Caller = { url: gate.url, headers: basic("alice", secrets["a password in a file"]) };
  for (let index = 0; index < 3; index++) {
    states.push((await startUpload(alice, "team/app")).searchParams.get("_state") ?? "");
  }
  await sendAll();

  // What cannot be taken up is told in the log, and what it says is not.
  const broken = secrets["a broken configuration"];
  const refuses = async (wrong: object): Promise<void> => {
    const before = count("reload refused");
    await gate.configure(wrong);
    await vi.waitUntil(() => count("reload refused") > before, { timeout: 30_000 });
  };
  await refuses({ ...configuration, upstream: { url: `http://user:${broken}@127.0.0.1:1` } });
  await refuses({
    ...configuration,
    auth: { backends: [{ type: "ldap", bindPassword: [broken], userFilter: broken }] },
  });
  await refuses({
    ...configuration,
    auth: { backends: [{ type: "sso-header", sharedSecret: { header: "X", value: "canary-broken-c" } }] },
  });
  await gate.configure(configuration);
  const htpasswd = await readFile(join(gate.directory, "htpasswd"), "utf8");
  await gate.put("htpasswd", `mallory:${secrets["a broken password file"]}\n${secrets["a broken password file"]}\n`);
  await gate.logged(
    ({ file, msg }) => String(file).endsWith("htpasswd") && String(msg).startsWith("invalid file ignored"),
  );

  // Each login then waits for the directory, as long as it is told to.
  await slapd.stop();
  await sendAll(10);
  await slapd.start();
  await gate.put("htpasswd", htpasswd);
  await relay.close();
  await sendAll();
}, 600_000);

afterAll(() => scene.close());

test("the series was long, met every kind of response, and all of it is in the log", async () => {
  expect(requests).toBeGreaterThan(1500);
  for (const status of [200, 202, 400, 401, 403, 404, 405, 415, 417, 431, 502, 503]) {
    expect([...statuses.keys()], `${status}`).toContain(status);
  }
  await expect.poll(() => count("request") + count("unreadable"), { timeout: 30_000 }).toBeGreaterThanOrEqual(requests);
  // Lines of the audit, among them, have none.
  const levels = new Set(scene.gate.lines().flatMap(({ level }) => level ?? []));
  expect([...levels].sort()).toEqual(["debug", "error", "info", "warn"]);
  for (const event of ["push", "denied", "login-failed", "reload"]) expect(count(event), event).toBeGreaterThan(0);
  expect(states.every((state) => state.length > 50)).toBe(true);
});

test("no response holds anything that was planted, nor where the registry and the directory are", () => {
  const inner: Canary[] = [
    { name: "the registry's address", secret: new URL(scene.relay.url).host },
    { name: "the directory's address", secret: new URL(scene.slapd.tlsUrl).host },
    { name: "the gate's files", secret: scene.gate.directory },
    ...scene.tokens.map((secret, index) => ({ name: `token ${index}`, secret: secret.split(".")[2] ?? secret })),
  ];
  const told = responses.join("\n");
  expect(leaksIn(told, [...planted, ...inner])).toEqual([]);
  expect(internalsIn(told)).toBeUndefined();
});

test("no line of the log or the audit holds anything that was planted, the state of an upload, or the registry's address", () => {
  const inner: Canary[] = [
    { name: "the registry's address", secret: new URL(scene.relay.url).host },
    ...states.map((secret) => ({ name: "the registry's own state of an upload", secret })),
    ...scene.tokens.map((secret, index) => ({ name: `token ${index}`, secret: secret.split(".")[2] ?? secret })),
  ];
  const logged = scene.gate.output();
  expect(leaksIn(logged, [...planted, ...inner])).toEqual([]);
  expect(internalsIn(logged)).toBeUndefined();
  expect(/authorization["']?\s*[:=]|basic [a-z0-9+/]{8}|bearer [\w-]{8}|_state=/i.exec(logged)?.[0]).toBeUndefined();
});

describe("the search for planted secrets finds", () => {
  const { secret } = planted[0] ?? { secret: "" };

  test.each<[form: string, write: (text: string) => string]>([
    ["as it is", (text) => text],
    ["in a URL", encodeURIComponent],
    ["in JSON", (text) => JSON.stringify({ text })],
    ["in a Basic login", (text) => basic("alice", text).authorization],
    ["in a Basic login of a longer name", (text) => basic("alice1", text).authorization],
    ["in a Basic login of a still longer name", (text) => basic("alice12", `${text}x`).authorization],
    ["in hex", (text) => Buffer.from(text).toString("hex").toUpperCase()],
    ["in Base64 for URLs", (text) => Buffer.from(text).toString("base64url")],
  ])("a secret written %s", (_, write) => {
    for (const canary of planted) {
      const [leak] = leaksIn(`before ${write(canary.secret)} after`, planted);
      expect(leak?.name, canary.name).toBe(canary.name);
    }
    expect(leaksIn(`before ${write("something else")} after`, planted)).toEqual([]);
    expect(secret).not.toBe("");
  });

  test("a stack", () => {
    const { stack = "" } = new Error("x");
    expect(internalsIn(stack)).toBeDefined();
    expect(internalsIn(JSON.stringify({ stack }))).toBeDefined();
    expect(internalsIn("no rule allows pull on team/app at all (127.0.0.1:5000)")).toBeUndefined();
  });
});
