import type { LdapOptions } from "@registry-gate/auth-ldap";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Slapd, startSlapd } from "../support/slapd.ts";
import { groupsOf, openBackend, outcomeOf, signIn } from "./login.ts";
import { base, bothNames, count, groupBase, openldap } from "./openldap.ts";

let slapd: Slapd;
let plain: LdapOptions;
beforeAll(async () => {
  slapd = await startSlapd();
  plain = openldap(slapd);
});
afterAll(() => slapd?.close());

describe("a login", () => {
  it("is one search and one bind, on connections that are kept", async () => {
    const { backend } = await openBackend(plain);
    await signIn(backend, "alice", "alicepw");
    const said = await slapd.logOf(async () => {
      expect(await signIn(backend, "alice", "alicepw")).toEqual({
        status: "authenticated",
        identity: {
          subject: `uid=alice,ou=people,${base}`,
          username: "alice",
          groups: expect.arrayContaining(["developers", `cn=developers,${groupBase}`]),
          nameMatching: "folded",
          backend: "ldap",
        },
      });
    });
    expect(count(said, / SRCH base=/g)).toBe(1);
    // slapd logs a bind twice: as it is asked for, and as it is granted.
    expect(count(said, /RESULT tag=97/g)).toBe(1);
    expect(said).not.toContain("ACCEPT");
  });

  it("has the directory's spelling of the name", async () => {
    const { backend } = await openBackend(plain);
    for (const typed of ["alice", "ALICE", " alice "]) {
      expect(await signIn(backend, typed, "alicepw")).toMatchObject({ identity: { username: "alice" } });
    }
    expect(await signIn(backend, "zoë", "zoepw")).toMatchObject({ identity: { username: "zoë" } });
    expect(await signIn(backend, "zoe\u0308".normalize("NFC"), "zoepw")).toMatchObject({
      identity: { username: "zoë" },
    });
  });

  it.each([
    ["jsmith", "jsmithpw", `cn=smith\\, john \\"j\\+s\\" \\<x\\>\\; (a=b) c:\\\\d+uid=jsmith,ou=people,${base}`],
    ["zoe", "zoepw", `cn=zoë ångström 東京,ou=people,${base}`],
    ["lead", "leadpw", `cn=lead and trail,ou=people,${base}`],
    ["hash", "hashpw", `cn=\\#hash,ou=people,${base}`],
    ["st*r(\\)x", "starpw", `uid=st*r(\\\\)x,ou=people,${base}`],
  ])("works for %s, whose DN has special characters, and so do nested groups", async (username, password, subject) => {
    const { backend } = await openBackend({
      ...plain,
      groups: { searchBase: groupBase, searchFilter: "(member={{dn}})", nested: true },
    });
    expect(await signIn(backend, username, password)).toMatchObject({
      identity: {
        subject,
        username,
        groups: expect.arrayContaining(bothNames("developers", "engineering", "pushers")),
      },
    });
    expect(await outcomeOf(signIn(backend, username, `${password}x`))).toBe("rejected: wrong password");
  });

  it("is rejected for the state of the account, and never says why to be unavailable", async () => {
    const { backend } = await openBackend(plain);
    const outcome = (username: string, password: string): Promise<string> =>
      outcomeOf(signIn(backend, username, password));
    expect(await outcome("alice", "wrong")).toBe("rejected: wrong password");
    expect(await outcome("nobody", "wrong")).toBe("rejected: no such user");
    expect(await outcome("disabled", "disabledpw")).toBe("rejected: the account is locked");
    // This one's password is good for a second after the start.
    const expired = (): Promise<string> => outcome("expired", "expiredpw");
    await expect.poll(expired, { timeout: 10_000, interval: 100 }).toBe("rejected: the password has expired");
    expect(await outcome("mustchange", "mustchangepw")).toBe("rejected: the password must be changed");
    expect(await outcome("nopassword", "x")).toBe("rejected: wrong password");
    for (let failures = 0; failures < 3; failures++)
      expect(await outcome("locked", "x")).toBe("rejected: wrong password");
    expect(await outcome("locked", "lockedpw")).toBe("rejected: the account is locked");
  });

  it("is rejected without a password, although this server would call it a success", async () => {
    const { backend } = await openBackend(plain);
    const said = await slapd.logOf(async () => {
      expect(await outcomeOf(signIn(backend, "alice", ""))).toBe("rejected: the password is empty");
      expect(await outcomeOf(signIn(backend, "", ""))).toBe("rejected: the user name is empty");
    });
    expect(said).toBe("");
  });

  it("is nobody's for names that try to be more than a name", async () => {
    const { backend } = await openBackend({ ...plain, searchFilter: "(|(uid={{username}})(mail={{username}}))" });
    const { searchBase: _, ...rest } = plain;
    const direct = await openBackend({ ...rest, userDNTemplate: `uid={{username}},ou=people,${base}` });
    const names = [
      ...[
        "*",
        "*)(uid=*",
        "alice)(uid=*",
        "a\\00",
        "a\0",
        "\0",
        "alice\0",
        "(|(uid=*))",
        "alice,ou=people",
        "\\61lice",
      ],
      ...["EXTERNAL", "PLAIN", "DIGEST-MD5", "SCRAM-SHA-1", "anonymous", `uid=alice,ou=people,${base}`, "\ud800"],
      ...["x".repeat(65_536), "*".repeat(65_536), "ü".repeat(400), "{{username}}", "al*", "?", " ", "\u2028"],
    ];
    for (const name of names) {
      for (const password of ["alicepw", "gatepw", "adminpw", "*", "x".repeat(65_536), "\0"]) {
        expect(await outcomeOf(signIn(backend, name, password))).toMatch(/^rejected: /);
        expect(await outcomeOf(signIn(direct.backend, name, password))).toMatch(/^rejected: /);
      }
    }
    expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toBe("authenticated");
  });

  it("is rejected where several entries have the name", async () => {
    const { backend } = await openBackend({ ...plain, searchFilter: "(mail={{username}})" });
    expect(await outcomeOf(signIn(backend, "twin@example.org", "twin1pw"))).toBe(
      "rejected: several entries have this name",
    );
    expect(await signIn(backend, "alice@example.org", "alicepw")).toMatchObject({ identity: { username: "alice" } });
  });

  it("passes over referrals that stand in the way of a search", async () => {
    const { backend } = await openBackend({ ...plain, searchBase: base });
    expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toBe("authenticated");
  });

  it("asks the directory of an unknown user as often as of a wrong password", async () => {
    const { backend } = await openBackend(plain);
    await signIn(backend, "alice", "alicepw");
    for (const username of ["alice", "nobody"]) {
      const said = await slapd.logOf(() => signIn(backend, username, "wrong"));
      expect([count(said, / SRCH base=/g), count(said, /RESULT tag=97/g)]).toEqual([1, 1]);
    }
  });
});

describe("a login by a template for the DN", () => {
  it("needs no search, and no service account", async () => {
    const { searchBase: _, bindDN: __, bindPassword: ___, ...rest } = plain;
    const { backend } = await openBackend({ ...rest, userDNTemplate: `uid={{username}},ou=people,${base}` });
    expect(await signIn(backend, "ALICE", "alicepw")).toMatchObject({
      status: "authenticated",
      identity: { username: "alice", groups: expect.arrayContaining(["developers"]) },
    });
    expect(await outcomeOf(signIn(backend, "alice", "x"))).toBe("rejected: wrong password");
    expect(await outcomeOf(signIn(backend, "nobody", "x"))).toBe("rejected: wrong password");
    expect(await signIn(backend, "st*r(\\)x", "starpw")).toMatchObject({ identity: { username: "st*r(\\)x" } });
  });

  it("reads groups as the service account where there is one", async () => {
    const { searchBase: _, ...rest } = plain;
    const { backend } = await openBackend({
      ...rest,
      userDNTemplate: `uid={{username}},ou=people,${base}`,
      groups: { searchBase: groupBase, searchFilter: "(member={{dn}})", nested: true },
    });
    expect(await groupsOf(backend, "bob", "bobpw")).toEqual(
      bothNames("developers", "engineering", "pushers", "circle-a", "circle-b"),
    );
  });
});

describe("many logins at once", () => {
  it("never get each other's responses, and share few connections", async () => {
    const { backend } = await openBackend({ ...plain, pool: { size: 4 } });
    const login = async (_: unknown, index: number): Promise<void> => {
      const username = `load${String(index % 64).padStart(2, "0")}`;
      const right = index % 3 !== 0;
      const result = await signIn(backend, username, right ? `${username}pw` : `load${String((index + 1) % 64)}pw`);
      const expected = right ? { status: "authenticated", identity: { username } } : { status: "rejected" };
      expect(result).toMatchObject(expected);
    };
    const said = await slapd.logOf(() => Promise.all(Array.from({ length: 256 }, login)));
    expect(count(said, / BIND dn="cn=gate,dc=example,dc=org" mech/g)).toBe(4);
    expect(count(said, /ACCEPT/g)).toBe(8);
  });

  it("wait for a connection only so many and so long", async () => {
    const { backend } = await openBackend({ ...plain, pool: { size: 1, maxWaiting: 4 } });
    const outcomes = await Promise.all(
      Array.from({ length: 10 }, () => outcomeOf(signIn(backend, "alice", "alicepw"))),
    );
    expect(outcomes.filter((outcome) => outcome === "authenticated")).toHaveLength(5);
    expect(outcomes.filter((outcome) => outcome.includes("4 logins are waiting already"))).toHaveLength(5);
  });

  it("leave no connection behind that is not used", async () => {
    const { backend } = await openBackend({ ...plain, pool: { idle: "200ms" } });
    const logins = Array.from({ length: 4 }, () => "alice");
    const said = await slapd.logOf(() => Promise.all(logins.map((name) => signIn(backend, name, "alicepw"))));
    const accepted = [...said.matchAll(/(conn=\d+ )fd=\d+ ACCEPT/g)].map(([, connection = ""]) => connection);
    expect(accepted.length).toBeGreaterThanOrEqual(logins.length);
    const ended = (connection: string): boolean =>
      new RegExp(`${connection}op=\\d+ UNBIND[^]*${connection}fd=\\d+ closed`).test(slapd.output());
    await expect.poll(() => accepted.filter((connection) => !ended(connection))).toEqual([]);
    expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toBe("authenticated");
  });

  it("end at once when no login waits for them", async () => {
    const { backend } = await openBackend({ ...plain, pool: { size: 1 } });
    const controller = new AbortController();
    const logins = Array.from({ length: 10 }, () => outcomeOf(signIn(backend, "alice", "alicepw", controller.signal)));
    controller.abort();
    for (const outcome of await Promise.all(logins)) expect(outcome).toMatch(/^unavailable: .*the request was aborted/);
    expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toBe("authenticated");
  });
});
