import { readFile, realpath, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { channelNames } from "../../packages/auth-kit/src/observe/channel-names.ts";
import { basic } from "../support/basic.ts";
import { makeCertificate } from "../support/certificate.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { passwordFile } from "../support/password-file.ts";
import { type ScriptedUpstream, startUpstream } from "../support/upstream.ts";

let upstream: ScriptedUpstream;
let users: string;
beforeAll(async () => {
  upstream = await startUpstream((_, response) => response.end("manifest"));
  users = await passwordFile({ alice: "canary-password" });
});
afterAll(() => upstream.close());

const manifest = "/v2/team/app/manifests/latest";
const alice = { headers: basic("alice", "canary-password") };

function configuration(changes: object = {}): object {
  return {
    listen: { address: "127.0.0.1:0" },
    upstream: { url: upstream.url },
    auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
    access: [{ subjects: ["user:alice"], repositories: ["team/**"], actions: ["pull"] }],
    ...changes,
  };
}

/** Subscribes to every channel before the gate starts, by what Node has for that alone. */
async function observedGate(changes: object, files: Readonly<Record<string, string>>, listener: string) {
  const observer = `
    import { subscribe } from "node:diagnostics_channel";
    for (const name of ${JSON.stringify(channelNames)}) subscribe(name, ${listener});`;
  const gate = await startGate({
    configuration: configuration(changes),
    files: { htpasswd: users, "observer.mjs": observer, ...files },
    nodeOptions: ["--import", "./observer.mjs"],
  });
  onTestFinished(() => gate.close());
  return gate;
}

/** What was published, each message with the name of its channel. */
function published(gate: RunningGate): readonly Readonly<Record<string, unknown>>[] {
  const lines = gate.besideLog().split("\n");
  return lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
}

const print = `(message, channel) => console.error(JSON.stringify({ channel, ...message }))`;

test("a running gate publishes requests, logins, connections and reloads, and no password", async () => {
  const [first, second] = [await makeCertificate(), await makeCertificate()];
  const pem = async (files: typeof first) => ({
    "tls.crt": await readFile(files.certificate, "utf8"),
    "tls.key": await readFile(files.key, "utf8"),
  });
  const [before, after] = [await pem(first), await pem(second)];
  const secure = { listen: { address: "127.0.0.1:0", tls: { certificate: "tls.crt", key: "tls.key" } } };
  const gate = await observedGate(secure, before, print);
  const heard = (channel: string) =>
    published(gate).filter((message) => message.channel === `registry-gate:${channel}`);
  const outcomes = (channel: string) => heard(channel).map(({ outcome }) => outcome);
  expect(published(gate)).toEqual([]);

  await gate.put("tls.crt", after["tls.crt"]);
  await gate.put("tls.key", after["tls.key"]);
  await expect.poll(() => outcomes("certificate:reload").at(-1)).toBe("reloaded");
  await gate.put("tls.crt", "canary, which is no certificate");
  await expect.poll(() => outcomes("certificate:reload").at(-1)).toBe("refused");
  await gate.put("tls.crt", after["tls.crt"]);

  await gate.configure(configuration());
  await expect.poll(() => outcomes("configuration:reload")).toEqual(["reloaded"]);
  const { address } = await gate.logged(({ event, tls }) => event === "listening" && tls === false);
  const url = `http://${String(address)}${manifest}`;
  const statusOf = async (request: RequestInit): Promise<number> => (await fetch(url, request)).status;
  expect(await statusOf(alice)).toBe(200);
  expect(await statusOf({ headers: basic("alice", "canary-wrong") })).toBe(401);
  expect(await statusOf({ headers: { authorization: "Bearer canary-token" } })).toBe(401);
  await expect.poll(() => heard("request:finished").map(({ status }) => status)).toEqual([200, 401, 401]);
  expect(outcomes("login:judged")).toEqual(["authenticated", "rejected", "abstained"]);
  expect(heard("upstream:connection")).toMatchObject([{ event: "opened", upstream: new URL(upstream.url).host }]);

  await gate.configure(configuration({ acess: [] }));
  await expect.poll(() => heard("configuration:reload").at(-1)).toMatchObject({ outcome: "refused", faults: 1 });
  await gate.put("htpasswd", await passwordFile({ alice: "canary-next" }));
  await expect.poll(() => heard("file:reload")).toMatchObject([{ outcome: "reloaded" }]);
  expect(gate.besideLog()).not.toMatch(/canary/);
});

test("a running gate publishes what becomes of each new login at the registry", async () => {
  const upstreamWithLogin = { upstream: { url: upstream.url, credentials: { bearerFile: "secret" } } };
  const gate = await observedGate(upstreamWithLogin, { secret: "canary-first" }, print);
  const outcomes = () => published(gate).map(({ channel, outcome }) => `${String(channel)} ${String(outcome)}`);
  await gate.put("secret", "canary-second");
  await expect.poll(outcomes).toEqual(["registry-gate:file:reload reloaded"]);
  await gate.put("secret", "canary\nin two lines");
  await expect.poll(() => outcomes().at(-1)).toBe("registry-gate:file:reload invalid");
  await rm(join(gate.directory, "secret"));
  await expect.poll(() => outcomes().at(-1)).toBe("registry-gate:file:reload unreadable");
  expect(published(gate)[0]).toMatchObject({ files: [join(await realpath(gate.directory), "secret")] });
  expect(JSON.stringify(published(gate))).not.toContain("canary");
});

test("a gate whose every subscriber throws serves requests, and warns", async () => {
  const gate = await observedGate({}, {}, `() => { throw new Error("of the subscriber"); }`);
  for (let round = 0; round < 3; round++) expect((await fetch(gate.url + manifest, alice)).status).toBe(200);
  await expect
    .poll(() => gate.besideLog())
    .toContain("ObserverWarning: a subscriber of registry-gate:request:finished");
  expect(gate.besideLog()).toContain("ObserverWarning: a subscriber of registry-gate:login:judged");
  await gate.configure(configuration({ access: [] }));
  await gate.logged(({ event }) => event === "reloaded");
  await expect.poll(async () => (await fetch(gate.url + manifest, alice)).status).toBe(403);
  expect(gate.exit()).toBeUndefined();
  await gate.settled();
  expect(gate.lines().filter(({ level }) => level === "error")).toEqual([]);
});
