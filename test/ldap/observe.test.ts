import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type LdapConnection,
  type LdapOperation,
  type LdapQueue,
  ldapConnection,
  ldapOperation,
  ldapQueue,
} from "@registry-gate/auth-ldap";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import type { Channel } from "../../packages/auth-kit/src/index.ts";
import { fileReload } from "../../packages/auth-kit/src/index.ts";
import { freePort } from "../support/free-port.ts";
import { blackHole } from "../support/relay.ts";
import { type Slapd, startSlapd } from "../support/slapd.ts";
import { openBackend, outcomeOf, signIn } from "./login.ts";
import { openldap } from "./openldap.ts";
import { relayed, relayTo } from "./relayed.ts";

let slapd: Slapd;
beforeAll(async () => {
  slapd = await startSlapd();
});
afterAll(() => slapd?.close());

/** What a channel publishes until the end of the test. */
function messagesOf<Message extends object>(channel: Channel<Message>): readonly Message[] {
  const messages: Message[] = [];
  onTestFinished(channel.subscribe((message) => messages.push(message)));
  return messages;
}

function connectionsTo(server: string): readonly LdapConnection[] {
  const messages: LdapConnection[] = [];
  onTestFinished(ldapConnection.subscribe((message) => void (message.server === server && messages.push(message))));
  return messages;
}

/** Passwords, names of users and DNs. */
const secrets = /alice|gatepw|cn=|uid=|dc=/;

it("registry-gate:ldap:operation has each bind and search of a login, as the server logs them", async () => {
  const messages = messagesOf(ldapOperation);
  const { backend } = await openBackend(openldap(slapd));
  const log = await slapd.logOf(async () => {
    expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toBe("authenticated");
    expect(await outcomeOf(signIn(backend, "alice", "canary-wrong"))).toMatch(/^rejected/);
    expect(await outcomeOf(signIn(backend, "nobody-of-this-name", "canary-wrong"))).toMatch(/^rejected/);
  });
  const of = (operation: LdapOperation["operation"]) => messages.filter((message) => message.operation === operation);
  expect(of("search")).toHaveLength((log.match(/ SRCH base=/g) ?? []).length);
  expect(of("bind")).toHaveLength((log.match(/ RESULT tag=97 /g) ?? []).length);
  for (const message of messages) {
    expect(message).toMatchObject({ backend: "ldap", server: slapd.tlsUrl, outcome: "completed" });
  }
  // 49: invalidCredentials (RFC 4511, section 4.1.9), of the wrong password and of the user who does not exist.
  expect(of("bind").filter(({ code }) => code === 49)).toHaveLength(2);
  expect(of("search")[0]).toMatchObject({ code: 0, entries: 1 });
  expect(JSON.stringify(messages)).not.toMatch(secrets);
  expect(JSON.stringify(messages)).not.toContain("canary");
});

it("registry-gate:ldap:operation says why there was no response", async () => {
  const messages = messagesOf(ldapOperation);
  const relay = await relayTo(slapd.port);
  const { backend } = await openBackend({ ...relayed(slapd).inClear(relay), timeout: 200 });
  await signIn(backend, "alice", "alicepw");
  expect(messages.every(({ outcome }) => outcome === "completed")).toBe(true);
  relay.tamper(blackHole);
  await outcomeOf(signIn(backend, "alice", "alicepw"));
  expect(messages.find(({ outcome }) => outcome !== "completed")).toMatchObject({
    operation: "search",
    outcome: "timeout",
    code: undefined,
    entries: 0,
  });
});

it("registry-gate:ldap:connection follows connections from their opening to their end", async () => {
  // No other test has this name of the server: connections of earlier tests may be closed late.
  const server = `ldaps://localhost:${slapd.tlsPort}`;
  const messages = connectionsTo(server);
  const { backend } = await openBackend({ ...openldap(slapd), urls: [server] });
  for (let round = 0; round < 2; round++) await signIn(backend, "alice", "alicepw");
  const opened: LdapConnection = {
    backend: "ldap",
    server,
    event: "opened",
    milliseconds: expect.any(Number),
  };
  // One of the service account, and one for binds of users.
  expect(messages).toEqual([opened, opened]);
  await backend.close?.();
  await expect.poll(() => messages.length).toBe(4);
  expect(messages.slice(2)).toEqual([
    { ...opened, event: "closed" },
    { ...opened, event: "closed" },
  ]);
});

it("registry-gate:ldap:connection says that a server cannot be reached", async () => {
  const server = `ldaps://127.0.0.1:${await freePort()}`;
  const messages = connectionsTo(server);
  const { backend } = await openBackend({ ...openldap(slapd), urls: [server], connectTimeout: 100 });
  expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toMatch(/^unavailable/);
  expect(messages[0]).toEqual({
    backend: "ldap",
    server,
    event: "failed",
    reason: "connect",
    milliseconds: expect.any(Number),
  });
});

it("registry-gate:ldap:queue says which logins wait for a connection, and for which", async () => {
  const messages = messagesOf(ldapQueue);
  const { backend } = await openBackend({ ...openldap(slapd), pool: { size: 1 } });
  const logins = Array.from({ length: 4 }, () => outcomeOf(signIn(backend, "alice", "alicepw")));
  expect(new Set(await Promise.all(logins))).toEqual(new Set(["authenticated"]));
  const events = (event: LdapQueue["event"]) => messages.filter((message) => message.event === event);
  expect(events("waiting").length).toBeGreaterThanOrEqual(3);
  expect(events("granted")).toHaveLength(events("waiting").length);
  expect(messages[0]).toEqual({ backend: "ldap", pool: "service", event: "waiting", waiting: 1, inUse: 1 });
  expect(messages.at(-1)).toMatchObject({ event: "granted", waiting: 0 });
});

it("registry-gate:file:reload says that the password of the service account was read again", async () => {
  const messages = messagesOf(fileReload);
  const directory = await mkdtemp(join(tmpdir(), "ldap-observe-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const path = join(directory, "password");
  await writeFile(path, "gatepw");
  const { bindPassword: _, ...options } = openldap(slapd);
  await openBackend({ ...options, bindPasswordFile: path });
  const replace = async (content: string): Promise<void> => {
    await writeFile(`${path}.new`, content);
    await rename(`${path}.new`, path);
  };
  await replace("canary-next");
  await expect.poll(() => messages).toEqual([{ files: [path], outcome: "reloaded" }]);
  await replace("canary\nin two lines");
  await expect.poll(() => messages.at(-1)).toEqual({ files: [path], outcome: "invalid" });
  await rm(path);
  await expect.poll(() => messages.at(-1)).toEqual({ files: [path], outcome: "unreadable" });
  expect(messages).toHaveLength(3);
});
