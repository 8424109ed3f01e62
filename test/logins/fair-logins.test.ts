import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AuthBackend } from "@registry-gate/auth";
import { htpasswdBackend } from "@registry-gate/auth-htpasswd";
import { ldapBackend } from "@registry-gate/auth-ldap";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { run } from "../support/run.ts";
import { type Slapd, startSlapd } from "../support/slapd.ts";
import { attackedGate, attacker, colleague } from "./attacked-gate.ts";

const guesses = (count: number): (readonly [string, string])[] =>
  Array.from({ length: count }, (_, index) => ["mallory", `guess ${index}`] as const);

describe("with a password file", () => {
  /** One hash at a time, of some 50 ms. */
  async function passwordFileBackend(): Promise<AuthBackend> {
    const directory = await mkdtemp(join(tmpdir(), "registry-gate-logins-"));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const entries = ["mallory", "alice"].map((name) => run("htpasswd", ["-bnBC", "10", name, `${name}pw`]));
    await writeFile(join(directory, "htpasswd"), (await Promise.all(entries)).join(""));
    return htpasswdBackend({ file: "htpasswd", hashConcurrency: 1 }, { baseDirectory: directory });
  }

  it.each([
    ["499 wrong passwords pipelined on one connection", 1],
    ["499 wrong passwords on as many connections", 499],
  ])("checks a colleague's login after one turn, behind %s", async (_, connections) => {
    const gate = await attackedGate(await passwordFileBackend(), { throttle: false });
    const all = guesses(499);
    for (let connection = 0; connection < connections; connection++) {
      gate.flood(attacker, all.slice((connection * 499) / connections, ((connection + 1) * 499) / connections));
    }
    await expect.poll(() => gate.asked()).toBeGreaterThan(connections === 1 ? 0 : 400);
    expect(await gate.login(colleague, "alice", "alicepw")).toBe(200);
    // The one under way, and one turn.
    expect(gate.turnsBefore()).toBeLessThanOrEqual(2);
    expect(gate.records.length).toBeLessThan(250);
  });

  it("computes one hash for 100 clients that log in with one password at once", async () => {
    const gate = await attackedGate(await passwordFileBackend());
    const addresses = Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? attacker : colleague));
    const statuses = await Promise.all(addresses.map((address) => gate.login(address, "alice", "alicepw")));
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(gate.asked()).toBe(1);
  });

  it("computes no more hashes for 499 wrong passwords at once than may fail", async () => {
    const gate = await attackedGate(await passwordFileBackend(), { throttle: { backoff: "1h..1h" } });
    for (const guess of guesses(499)) gate.flood(attacker, [guess]);
    await expect.poll(() => gate.records.length, { timeout: 60_000 }).toBe(499);
    expect(gate.asked()).toBe(10);
    const decisions = gate.records.map(({ decision }) => decision);
    expect(decisions.filter((decision) => decision === "unauthenticated")).toHaveLength(10);
    expect(decisions.filter((decision) => decision === "throttled")).toHaveLength(489);
    // The same user, from elsewhere.
    expect(await gate.login(colleague, "mallory", "mallorypw")).toBe(200);
  });
});

describe("with a directory", () => {
  let slapd: Slapd;
  beforeAll(async () => {
    slapd = await startSlapd({ logged: false });
  });
  afterAll(() => slapd?.close());

  const directoryBackend = (size: number): Promise<AuthBackend> =>
    ldapBackend({
      urls: [slapd.tlsUrl],
      caCert: slapd.authority,
      bindDN: "cn=gate,dc=example,dc=org",
      bindPassword: "gatepw",
      searchBase: "ou=people,dc=example,dc=org",
      groups: { searchBase: "ou=groups,dc=example,dc=org" },
      pool: { size },
    });

  it("answers a colleague's login in a few turns while 700 connections guess", async () => {
    const gate = await attackedGate(await directoryBackend(1), { throttle: false });
    for (let connection = 0; connection < 700; connection++) {
      // Names that nobody has lock nobody out.
      gate.flood(attacker, [[`nobody${connection}`, "guess"]]);
    }
    await expect.poll(() => gate.asked()).toBeGreaterThan(300);
    expect(await gate.login(colleague, "alice", "alicepw")).toBe(200);
    // A login waits for a connection to search, one to bind and one to read groups: each time for the one under way, and
    // for one turn. Guesses are judged a moment after their turn, so a few of those before it are counted as well.
    expect(gate.turnsBefore()).toBeLessThanOrEqual(12);
    expect(gate.records.filter(({ decision }) => decision === "unauthenticated").length).toBeLessThan(600);
  });

  it("does not let a stranger's guesses lock a colleague out, at the gate or in the directory", async () => {
    // The directory locks an account after three failures.
    const gate = await attackedGate(await directoryBackend(4), {
      loginCache: false,
      throttle: { perUserAndAddress: "2/1h", backoff: "1h..1h" },
    });
    for (let guess = 0; guess < 50; guess++) {
      expect(await gate.login(attacker, guess % 2 === 0 ? "bob" : " BOB", `guess ${guess}`)).toBe(
        guess < 2 ? 401 : 429,
      );
    }
    expect(gate.asked()).toBe(2);
    expect(await gate.login(attacker, "bob", "bobpw")).toBe(429);
    expect(await gate.login(colleague, "bob", "bobpw")).toBe(200);
    expect(await gate.login(attacker, "alice", "alicepw")).toBe(200);
  });
});
