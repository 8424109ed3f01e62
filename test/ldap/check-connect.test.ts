import type { LdapOptions } from "@registry-gate/auth-ldap";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { makeCertificate } from "../support/certificate.ts";
import { blackHole, startRelay } from "../support/relay.ts";
import { type Slapd, startSlapd } from "../support/slapd.ts";
import { type Check, check, newDirectory, stepsIn } from "./check-connect.ts";
import { base, groupBase, openldap } from "./openldap.ts";

let slapd: Slapd;
let plain: LdapOptions;
beforeAll(async () => {
  slapd = await startSlapd();
  plain = {
    ...openldap(slapd),
    groups: { searchBase: groupBase, searchFilter: "(member={{dn}})", nested: true },
  };
});
afterAll(() => slapd?.close());

const ldap = (options: Partial<LdapOptions> = {}): object => ({ type: "ldap", ...plain, ...options });

describe("check --connect with OpenLDAP", () => {
  it("reaches the server and looks at the base", async () => {
    const result = await check({ backends: [ldap()] });
    expect(result).toMatchObject({ code: 0, stdout: expect.stringMatching(/^auth\.backends\[0\] \(ldap\)\n/) });
    expect(stepsIn(result)).toEqual(["ok connect", "ok tls", "ok service-bind", "ok search"]);
    expect(result.stdout).toMatch(/ {4}ok +tls .* protocol TLSv1\.3, .*certificate localhost, .*validTo \w+ \d+ /);
    expect(result.stdout).toContain(`base ou=people,${base}\n`);
    expect(result.stdout).toMatch(/^gate\.yaml: ok\n$/m);
  });

  it("signs a user in, and shows the entry and the groups by their routes", async () => {
    const result = await check({ backends: [ldap({ requiredGroup: "pushers" })], user: "BOB", password: "bobpw" });
    expect(result).toMatchObject({ code: 0, stderr: expect.not.stringContaining("failed") });
    expect(stepsIn(result)).toEqual(
      ["connect", "tls", "service-bind", "search", "user-bind", "groups", "nested-groups", "account"].map(
        (step) => `ok ${step}`,
      ),
    );
    expect(result.stdout).toContain(`dn uid=bob,ou=people,${base}, username bob\n`);
    const [, direct = "", nested = ""] =
      /route groups\.searchFilter, count 2\n(.*?)\n {4}ok +nested-groups.*?count 3\n(.*?)\n {4}ok +account/s.exec(
        result.stdout,
      ) ?? [];
    const listed = (text: string): readonly string[] => text.split("\n").map((line) => line.trim());
    const line = (name: string): string => `- ${name} = cn=${name},${groupBase}`;
    expect(listed(direct).toSorted()).toEqual([line("circle-a"), line("developers")]);
    expect(listed(nested).toSorted()).toEqual([line("circle-b"), line("engineering"), line("pushers")]);
  });

  it("shows groups of memberOf, and by StartTLS the steps of the way", async () => {
    const backend = { type: "ldap", ...openldap(slapd), urls: [slapd.url], startTLS: true };
    const result = await check({ backends: [backend], user: "alice", password: "alicepw" });
    expect(stepsIn(result).slice(0, 3)).toEqual(["ok connect", "ok start-tls", "ok tls"]);
    expect(result.stdout).toContain("route memberOf, count 2\n");
    expect(result.stdout).toContain(`- R&D (core), EU = cn=r&d (core)\\, eu,${groupBase}\n`);
    expect(result.code).toBe(0);
  });

  it("shows by DN alone what has no short name, and why", async () => {
    const { groups: _, ...rest } = openldap(slapd);
    const without = await check({ backends: [{ type: "ldap", ...rest }], user: "carol", password: "carolpw" });
    expect(without.code).toBe(0);
    expect(without.stdout).toContain(
      `- cn=pushers,ou=elsewhere,${base} (not called pushers: another entry may be meant)\n`,
    );
    expect(without.stderr).toContain(
      "gate.yaml: warning: auth.backends[0].groups.searchBase: rules must name groups by DN: without groups.searchBase no group has a short name\n",
    );
    const ambiguous = await check({
      backends: [ldap({ groups: { searchBase: base } })],
      user: "carol",
      password: "carolpw",
    });
    expect(ambiguous.stdout).toContain(
      `- cn=pushers,ou=elsewhere,${base} (not called pushers: another entry may be meant)\n`,
    );
    expect(ambiguous.stderr).not.toContain("groups.searchBase");
  });

  it("looks a user up without a password and without a login", async () => {
    const log = await slapd.logOf(async () => {
      const result = await check({ backends: [ldap()], user: "alice" });
      expect(stepsIn(result)).toEqual(
        ["connect", "tls", "service-bind", "search", "groups", "nested-groups", "account"].map((step) => `ok ${step}`),
      );
      expect(result.code).toBe(0);
    });
    expect(log).not.toContain('BIND dn="uid=alice');
  });

  it.each<[string, () => Check, string, RegExp]>([
    [
      "a wrong password",
      () => ({ backends: [ldap()], user: "alice", password: "a wrong password" }),
      "user-bind",
      /wrong password/,
    ],
    ["an unknown user", () => ({ backends: [ldap()], user: "nobody", password: "alicepw" }), "search", /no such user/],
    [
      "a name that is none",
      () => ({ backends: [ldap()], user: "a\tb", password: "alicepw" }),
      "credentials",
      /the user name contains invalid characters/,
    ],
    [
      "a locked account",
      () => ({ backends: [ldap()], user: "disabled", password: "alicepw" }),
      "user-bind",
      /the account is locked/,
    ],
    [
      "a user who is not in the required group",
      () => ({ backends: [ldap({ requiredGroup: "pushers" })], user: "carol", password: "carolpw" }),
      "account",
      /is not in the required group/,
    ],
    [
      "a certificate that does not fit",
      () => ({ backends: [ldap({ serverName: "ldap.example.org" })] }),
      "tls",
      /does not match certificate/,
    ],
    [
      "a wrong password of the service account",
      () => ({ backends: [ldap({ bindPassword: "a wrong password" })] }),
      "service-bind",
      /service account rejected: invalid credentials \(49\)/,
    ],
    [
      "a base that is not there",
      () => ({ backends: [ldap({ searchBase: `ou=nowhere,${base}` })] }),
      "search",
      /no such object \(32\)/,
    ],
    [
      "a server that is not there",
      () => ({ backends: [ldap({ urls: ["ldaps://127.0.0.1:1"] })], user: "alice", password: "alicepw" }),
      "connect",
      /connection refused/,
    ],
  ])("ends with 1 for %s, and names the step", async (_, what, step, reason) => {
    const { code, stdout, stderr } = await check(what());
    expect(code).toBe(1);
    expect(stdout).toMatch(new RegExp(`^ {4}failed +${step} +\\d+ ms  .*${reason.source}`, "m"));
    expect(stderr).toMatch(new RegExp(`^gate\\.yaml: auth\\.backends\\[0\\]: ${step} failed: .*${reason.source}`, "m"));
    expect(stdout).not.toContain("gate.yaml: ok");
    // It is the last step on this server: what depends on it is not tried.
    expect(stdout.trimEnd().split("\n").at(-1)).toContain(`failed  ${step}`);
  });

  it("ends with 1 for an authority that is not the server's", async () => {
    const other = await makeCertificate(await newDirectory());
    const { code, stdout } = await check({ backends: [ldap({ caCert: other.authority })] });
    expect(code).toBe(1);
    expect(stdout).toMatch(/failed +tls .*(?:certificate|signature)/);
  });

  it("ends with 1 for a server that keeps silent", async () => {
    const relay = await startRelay(slapd.tlsPort);
    onTestFinished(() => relay.close());
    relay.tamper(blackHole);
    const urls = [`ldaps://127.0.0.1:${relay.port}`];
    const { code, stdout } = await check({ backends: [ldap({ urls, connectTimeout: "200ms" })] });
    expect(code).toBe(1);
    expect(stdout).toMatch(/failed +tls .*not connected within 200 ms/);
  });

  it("reports that the second server is down although the first one works", async () => {
    const result = await check({
      backends: [ldap({ urls: [slapd.tlsUrl, "ldaps://127.0.0.1:1"] })],
      user: "alice",
      password: "alicepw",
    });
    expect(result.code).toBe(1);
    expect(stepsIn(result).slice(-2)).toEqual(["ok account", "failed connect"]);
    expect(result.stderr).toMatch(
      /^gate\.yaml: auth\.backends\[0\]: connect failed: .*connection refused \(ldaps:\/\/127\.0\.0\.1:1\)$/m,
    );
  });

  it("signs in through the second server where the first one is down", async () => {
    const result = await check({
      backends: [ldap({ urls: ["ldaps://127.0.0.1:1", slapd.tlsUrl] })],
      user: "alice",
      password: "alicepw",
    });
    expect(result.code).toBe(1);
    expect(stepsIn(result)[0]).toBe("failed connect");
    expect(stepsIn(result)).toContain("ok user-bind");
  });
});
