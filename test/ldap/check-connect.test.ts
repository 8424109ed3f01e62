import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LdapOptions } from "@registry-gate/auth-ldap";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { runGate } from "../gateway/run-gate.ts";
import { makeCertificate } from "../support/certificate.ts";
import { passwordFile } from "../support/password-file.ts";
import { blackHole, startRelay } from "../support/relay.ts";
import type { CommandResult } from "../support/run.ts";
import { type Samba, startSamba } from "../support/samba.ts";
import { type Slapd, startSlapd } from "../support/slapd.ts";
import { type ScriptedUpstream, startUpstream } from "../support/upstream.ts";

const base = "dc=example,dc=org";
const groupBase = `ou=groups,${base}`;
const secrets = ["alicepw", "bobpw", "gatepw", "a wrong password", "Passw0rd!"];

let slapd: Slapd;
let registry: ScriptedUpstream;
let directory: string;
let plain: LdapOptions;
beforeAll(async () => {
  slapd = await startSlapd();
  registry = await startUpstream((_, response) => response.end("{}"));
  plain = {
    urls: [slapd.tlsUrl],
    caCert: slapd.authority,
    bindDN: `cn=gate,${base}`,
    bindPassword: "gatepw",
    searchBase: `ou=people,${base}`,
    groups: { searchBase: groupBase, searchFilter: "(member={{dn}})", nested: true },
  };
});
afterAll(async () => {
  await slapd?.close();
  await registry?.close();
});
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "check-connect-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

interface Check {
  readonly backends: readonly object[];
  readonly user?: string;
  /** The first line of standard input. */
  readonly password?: string;
}

/** Runs the check, and sees that it tells no password. */
async function check({ backends, user, password = "" }: Check): Promise<CommandResult> {
  const configuration = {
    listen: { address: "127.0.0.1:0" },
    upstream: { url: registry.url },
    auth: { backends },
  };
  await writeFile(join(directory, "gate.yaml"), JSON.stringify(configuration));
  const whom = user === undefined ? [] : ["--user", user];
  const result = await runGate(["check", "--connect", ...whom, "--config", "gate.yaml"], {
    directory,
    input: `${password}\n`,
  });
  for (const secret of secrets) expect(result.stdout + result.stderr).not.toContain(secret);
  // What is said of the registry has tests of its own.
  return { ...result, stdout: result.stdout.replace(/^upstream\n {2}.*\n {4}ok .*\n/m, "") };
}

const ldap = (options: Partial<LdapOptions> = {}): object => ({ type: "ldap", ...plain, ...options });

/** The steps that were told: their outcomes and names. */
const stepsIn = ({ stdout }: CommandResult): readonly string[] =>
  [...stdout.matchAll(/^ {4}(ok|failed) +([a-z-]+) +\d+ ms/gm)].map(([, outcome, step]) => `${outcome} ${step}`);

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
    const { groups: _, ...rest } = plain;
    const backend = { type: "ldap", ...rest, urls: [slapd.url], startTLS: true };
    const result = await check({ backends: [backend], user: "alice", password: "alicepw" });
    expect(stepsIn(result).slice(0, 3)).toEqual(["ok connect", "ok start-tls", "ok tls"]);
    expect(result.stdout).toContain("route memberOf, count 2\n");
    expect(result.stdout).toContain(`- R&D (core), EU = cn=r&d (core)\\, eu,${groupBase}\n`);
    expect(result.code).toBe(0);
  });

  it("looks a user up without a password, and signs nobody in", async () => {
    const before = slapd.output().length;
    const result = await check({ backends: [ldap()], user: "alice" });
    expect(stepsIn(result)).toEqual(
      ["connect", "tls", "service-bind", "search", "groups", "nested-groups", "account"].map((step) => `ok ${step}`),
    );
    expect(result.code).toBe(0);
    expect(slapd.output().slice(before)).not.toContain('BIND dn="uid=alice');
  });

  it.each<[string, () => Check, string, RegExp]>([
    [
      "a wrong password",
      () => ({ backends: [ldap()], user: "alice", password: "a wrong password" }),
      "user-bind",
      /wrong password/,
    ],
    [
      "an unknown user",
      () => ({ backends: [ldap()], user: "nobody", password: "alicepw" }),
      "search",
      /there is no such user/,
    ],
    [
      "a name that is none",
      () => ({ backends: [ldap()], user: "a\tb", password: "alicepw" }),
      "credentials",
      /the name has characters in it that no name has/,
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
      /the service account is refused: invalid credentials \(49\)/,
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
    const other = await makeCertificate(directory);
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

  it("finds the second server down where the first one lets everybody in", async () => {
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

describe("check --connect with several backends", () => {
  it("is content where one of them lets the user in, whatever the others say of that user", async () => {
    await writeFile(join(directory, "htpasswd"), await passwordFile({ testuser: "alicepw" }));
    const backends = [{ type: "htpasswd", file: "htpasswd" }, ldap()];
    for (const user of ["testuser", "alice"]) {
      const { code, stdout, stderr } = await check({ backends, user, password: "alicepw" });
      expect(stdout).toMatch(/auth\.backends\[0\] \(htpasswd\)[\s\S]*auth\.backends\[1\] \(ldap\)/);
      expect(stdout).toMatch(
        user === "alice" ? /failed +login .*does not know the user/ : /ok +login .*username testuser/,
      );
      expect({ code, stderr: stderr.replace(/^.*warning.*\n/gm, "") }).toEqual({ code: 0, stderr: "" });
    }
    const nobody = await check({ backends, user: "nobody", password: "alicepw" });
    expect(nobody.code).toBe(1);
    expect(nobody.stderr).toContain("auth.backends[0]: login failed: does not know the user");
    expect(nobody.stderr).toContain("auth.backends[1]: search failed: there is no such user");
  });

  it("asks one without a diagnosis of its own whether it is well", async () => {
    await writeFile(join(directory, "htpasswd"), await passwordFile({ testuser: "alicepw" }));
    const { code, stdout } = await check({ backends: [{ type: "htpasswd", file: "htpasswd" }] });
    expect(stdout).toMatch(/^auth\.backends\[0\] \(htpasswd\)\n {2}htpasswd\n {4}ok +check +\d+ ms\ngate\.yaml: ok\n$/);
    expect(code).toBe(0);
  });

  it("is a wrong command line with --user alone", async () => {
    expect(await runGate(["check", "--user", "alice", "--config", "gate.yaml"], { directory })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--user needs --connect"),
    });
  });
});

describe("check --connect with a package of somebody else's", () => {
  const packageWith = async (member: string): Promise<void> => {
    const code = `export const plugin = { type: "acme", apiVersion: 1, open: async (options, { id }) => ({
      id, authenticate: async () => ({ status: "rejected", reason: "no badge" }), ${member} }) };`;
    await writeFile(join(directory, "acme.mjs"), code);
    await writeFile(
      join(directory, "package.json"),
      '{ "name": "acme", "type": "module", "exports": { ".": "./acme.mjs" } }',
    );
  };

  it("tells the steps of its own diagnosis, with nothing in them that a terminal would obey", async () => {
    await packageWith(`async *diagnose(login) {
      yield { step: "badge", target: "acme", outcome: "ok", about: "login", milliseconds: 1, details: { of: login.username + "\\u001b[2J" } };
    }`);
    const { code, stdout } = await check({ backends: [{ type: "acme" }], user: "alice", password: "alicepw" });
    expect(stdout).toMatch(/ {4}ok +badge +1 ms {2}of alice\ufffd\[2J\n/);
    expect(code).toBe(0);
  });

  it("says where there is nothing to connect to", async () => {
    await packageWith("");
    const { code, stdout } = await check({ backends: [{ type: "acme" }] });
    expect(stdout).toBe("auth.backends[0] (acme)\n  has nothing to connect to\ngate.yaml: ok\n");
    expect(code).toBe(0);
  });

  it.each([
    ["diagnosis", 'async *diagnose() { throw new Error("out of order"); }', "out of order"],
    ["check", 'async check() { throw new Error("down"); }', "down"],
    ["login", "async check() {}", "no badge"],
  ])("names its %s where that fails", async (step, member, reason) => {
    await packageWith(member);
    const { code, stderr } = await check({ backends: [{ type: "acme" }], user: "alice", password: "alicepw" });
    expect(stderr).toContain(`auth.backends[0]: ${step} failed: ${reason} (acme)`);
    expect(code).toBe(1);
  });
});

describe("check --connect with Active Directory", () => {
  const domain = "dc=corp,dc=example,dc=org";
  let samba: Samba;
  beforeAll(async () => {
    samba = await startSamba();
  });
  afterAll(() => samba?.close());
  const active = (options: Partial<LdapOptions> = {}): object => ({
    type: "ldap",
    urls: [samba.tlsUrl],
    caCert: samba.authority,
    bindDN: "CORP\\gate",
    bindPassword: "Passw0rd!",
    searchBase: domain,
    activeDirectory: true,
    ...options,
  });

  it("signs a user in, and shows the groups of the token", async () => {
    const result = await check({ backends: [active()], user: "CORP\\bob", password: "Passw0rd!" });
    expect(result.code).toBe(0);
    expect(stepsIn(result).every((step) => step.startsWith("ok "))).toBe(true);
    expect(result.stdout).toMatch(/ok +search .* username bob\n/);
    expect(result.stdout).toContain("route tokenGroups, count 7\n");
    expect(result.stdout).toContain(`- pushers = cn=pushers,ou=groups,${domain}\n`);
  });

  it.each([
    ["a wrong password", "alice", "a wrong password", "wrong password"],
    ["an expired password", "expired", "Passw0rd!", "the password has expired"],
    ["a disabled account", "disabled", "Passw0rd!", "the account is disabled"],
  ])("ends with 1 for %s, and says so", async (_, user, password, reason) => {
    const { code, stderr } = await check({ backends: [active()], user, password });
    expect(stderr).toContain(`auth.backends[0]: user-bind failed: ${reason} (${samba.tlsUrl})`);
    expect(code).toBe(1);
  });

  it("says of a clear connection that the server wants more", async () => {
    const { caCert: _, ...rest } = plain;
    const backend = { type: "ldap", ...rest, ...active(), urls: [samba.url], allowCleartext: true };
    const { code, stderr } = await check({ backends: [{ ...backend, caCert: undefined, groups: undefined }] });
    expect(stderr).toMatch(/service-bind failed: .*stronger authentication required \(8\)/);
    expect(code).toBe(1);
  });
});
