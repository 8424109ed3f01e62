import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LdapOptions, ldapBackend } from "@registry-gate/auth-ldap";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { makeCertificate } from "../support/certificate.ts";
import { type Slapd, startSlapd } from "../support/slapd.ts";
import { groupsOf, openBackend, outcomeOf, signIn } from "./login.ts";

const base = "dc=example,dc=org";
const groupBase = `ou=groups,${base}`;
const bothNames = (...names: readonly string[]): string[] =>
  names.flatMap((name) => [name, `cn=${name},${groupBase}`]).sort();

let slapd: Slapd;
let plain: LdapOptions;
beforeAll(async () => {
  slapd = await startSlapd();
  plain = {
    urls: [slapd.tlsUrl],
    caCert: slapd.authority,
    bindDN: `cn=gate,${base}`,
    bindPassword: "gatepw",
    searchBase: `ou=people,${base}`,
  };
});
afterAll(() => slapd?.close());

const count = (text: string, pattern: RegExp): number => (text.match(pattern) ?? []).length;

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
    expect(await outcome("nobody", "wrong")).toBe("rejected: there is no such user");
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
      expect(await outcomeOf(signIn(backend, "", ""))).toBe("rejected: the name is empty");
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

describe("groups", () => {
  it("are those of memberOf, by name and by DN", async () => {
    const { backend } = await openBackend(plain);
    expect(await groupsOf(backend, "alice", "alicepw")).toEqual(
      ["R&D (core), EU", `cn=r&d (core)\\, eu,${groupBase}`, ...bothNames("developers")].sort(),
    );
  });

  it("of memberOf are followed upwards, and circles end", async () => {
    const { backend } = await openBackend({ ...plain, groups: { searchBase: groupBase, nested: true } });
    expect(await groupsOf(backend, "bob", "bobpw")).toEqual(
      bothNames("developers", "engineering", "pushers", "circle-a", "circle-b"),
    );
  });

  it.each([
    ["(member={{dn}})", ["R&D (core), EU", "developers"]],
    ["(uniqueMember={{dn}})", ["unique"]],
    ["(memberUid={{username}})", ["posix"]],
    [
      "(|(member={{dn}})(uniqueMember={{dn}})(memberUid={{username}}))",
      ["R&D (core), EU", "developers", "posix", "unique"],
    ],
  ])("are found by %s", async (searchFilter, names) => {
    const { backend } = await openBackend({ ...plain, groups: { searchBase: groupBase, searchFilter } });
    const found = await groupsOf(backend, "alice", "alicepw");
    expect(found.filter((name) => !name.endsWith(base))).toEqual(names);
  });

  it("cost one search a level", async () => {
    const { backend } = await openBackend({
      ...plain,
      groups: { searchBase: groupBase, searchFilter: "(|(member={{dn}})(memberUid={{username}}))", nested: true },
    });
    await signIn(backend, "alice", "alicepw");
    const said = await slapd.logOf(() => signIn(backend, "alice", "alicepw"));
    // The user; developers, R&D and posix; engineering; pushers; and what pushers is in.
    expect(count(said, / SRCH base=/g)).toBe(5);
    expect(count(said, /RESULT tag=97/g)).toBe(1);
  });

  it("elsewhere do not count, whatever their names", async () => {
    const { backend } = await openBackend({ ...plain, groups: { searchBase: groupBase } });
    // One is called pushers, below ou=elsewhere; the other's name reads as the DN of pushers.
    expect(await groupsOf(backend, "carol", "carolpw")).toEqual([
      `cn=cn=pushers\\,ou=groups\\,dc=example\\,dc=org,${groupBase}`,
    ]);
    const everywhere = await openBackend(plain);
    expect(await groupsOf(everywhere.backend, "carol", "carolpw")).toEqual([
      `cn=cn=pushers\\,ou=groups\\,dc=example\\,dc=org,${groupBase}`,
      `cn=pushers,ou=elsewhere,${base}`,
      "pushers",
    ]);
  });

  it("can be required, by name or by any spelling of the DN", async () => {
    const groups = { searchBase: groupBase, searchFilter: "(member={{dn}})", nested: true };
    for (const requiredGroup of ["pushers", `cn=pushers,${groupBase}`, "CN=Pushers, OU=Groups, DC=example, DC=org"]) {
      const { backend } = await openBackend({ ...plain, groups, requiredGroup });
      expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toBe("authenticated");
      expect(await outcomeOf(signIn(backend, "carol", "carolpw"))).toBe("rejected: is not in the required group");
      expect(await outcomeOf(signIn(backend, "alice", "x"))).toBe("rejected: wrong password");
    }
    const other = await openBackend({ ...plain, groups, requiredGroup: `cn=pushers,ou=elsewhere,${base}` });
    expect(await outcomeOf(signIn(other.backend, "alice", "alicepw"))).toBe("rejected: is not in the required group");
  });

  it("are called by the attribute that is wished", async () => {
    const { backend } = await openBackend({
      ...plain,
      groups: { searchBase: groupBase, searchFilter: "(memberUid={{username}})", nameAttribute: "gidNumber" },
    });
    expect(await groupsOf(backend, "alice", "alicepw")).toEqual(["2001", `cn=posix,${groupBase}`]);
  });

  it("that the server does not give in full are no groups at all", async () => {
    const limited = await startSlapd({ global: ["sizelimit 1"] });
    try {
      const { backend } = await openBackend({
        ...plain,
        urls: [limited.tlsUrl],
        caCert: limited.authority,
        groups: { searchBase: groupBase, searchFilter: "(member={{dn}})" },
      });
      expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toMatch(/^unavailable: .*size limit exceeded/);
      const several = await openBackend({
        ...plain,
        urls: [limited.tlsUrl],
        caCert: limited.authority,
        searchFilter: "(mail={{username}})",
      });
      // One of two was given: it must not pass for the only one.
      expect(await outcomeOf(signIn(several.backend, "twin@example.org", "twin1pw"))).toMatch(
        /^unavailable: .*size limit exceeded/,
      );
    } finally {
      await limited.close();
    }
  });
});

describe("a connection", () => {
  it("can be made by StartTLS", async () => {
    const { backend } = await openBackend({ ...plain, urls: [slapd.url], startTLS: true });
    const said = await slapd.logOf(async () => {
      expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toBe("authenticated");
      expect(await outcomeOf(signIn(backend, "alice", "x"))).toBe("rejected: wrong password");
    });
    expect(said).toContain("STARTTLS");
    expect(said).toContain("TLS established");
  });

  it("is in clear text only where that is allowed", async () => {
    await expect(ldapBackend({ ...plain, urls: [slapd.url] })).rejects.toThrow("sends passwords in clear text");
    const { caCert: _, ...rest } = plain;
    const { backend } = await openBackend({ ...rest, urls: [slapd.url], allowCleartext: true });
    expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toBe("authenticated");
  });

  it.each(["ldaps", "startTLS"])("over %s is refused where the certificate is not as expected", async (way) => {
    const urls = [way === "ldaps" ? slapd.tlsUrl : slapd.url];
    const startTLS = way !== "ldaps";
    const { caCert: _, ...untrusted } = plain;
    const said = await slapd.logOf(async () => {
      for (const options of [
        { ...untrusted, urls, startTLS },
        { ...plain, urls, startTLS, serverName: "ldap.example.org" },
      ]) {
        const { backend } = await openBackend(options);
        expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toMatch(/^unavailable: .*certificate/);
      }
    });
    expect(said).toContain("ACCEPT");
    expect(said).not.toContain("BIND");
    const { backend } = await openBackend({ ...plain, urls, startTLS, serverName: "localhost" });
    expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toBe("authenticated");
  });

  it("shows a client's certificate to a server that demands one", async () => {
    const strict = await startSlapd({ global: ["TLSVerifyClient demand"] });
    try {
      const options = { ...plain, urls: [strict.tlsUrl], caCert: strict.authority };
      const without = await openBackend(options);
      expect(await outcomeOf(signIn(without.backend, "alice", "alicepw"))).toMatch(/^unavailable: /);
      const shown = { ...options, clientCert: strict.clientCertificate, clientKey: strict.clientKey };
      const { backend } = await openBackend(shown);
      expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toBe("authenticated");
    } finally {
      await strict.close();
    }
  });

  it("trusts another authority as soon as that is in the file, and keeps the last good one", async () => {
    const directory = await mkdtemp(join(tmpdir(), "registry-gate-authority-"));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const other = await makeCertificate(directory);
    const caCert = join(directory, "ca.pem");
    await copyFile(other.authority, caCert);
    const { backend, lines } = await openBackend({ ...plain, caCert, pool: { size: 1, idle: 1 } });
    expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toMatch(/^unavailable: .*(?:certificate|signature)/);
    await copyFile(slapd.authority, caCert);
    const outcome = (): Promise<string> => outcomeOf(signIn(backend, "alice", "alicepw"));
    await expect.poll(outcome, { timeout: 10_000, interval: 50 }).toBe("authenticated");
    await writeFile(caCert, "no certificate\n");
    await expect
      .poll(() => lines.some(({ level, fields }) => level === "error" && String(fields.reason).includes("caCert")), {
        timeout: 10_000,
      })
      .toBe(true);
    expect(await outcome()).toBe("authenticated");
  });

  it("is not given by a server that wants more security than there is", async () => {
    const strict = await startSlapd({ global: ["security simple_bind=128", "localSSF 256"] });
    try {
      const { backend } = await openBackend({ ...plain, urls: [strict.url], allowCleartext: true });
      expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toMatch(
        /^unavailable: .*the service account is refused: confidentiality required \(13\)/,
      );
    } finally {
      await strict.close();
    }
  });
});

describe("the service account", () => {
  it("that is refused makes the backend unavailable, and is left alone for a while", async () => {
    const { backend, lines } = await openBackend({ ...plain, bindPassword: "wrong" });
    const said = await slapd.logOf(async () => {
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, () => outcomeOf(signIn(backend, "alice", "alicepw"))),
      );
      expect(new Set(outcomes)).toEqual(
        new Set(["unavailable: ldap: the service account is refused: invalid credentials (49)"]),
      );
      for (let login = 0; login < 10; login++) await outcomeOf(signIn(backend, "alice", "alicepw"));
    });
    expect(count(said, / BIND dn="cn=gate/g)).toBeLessThanOrEqual(8);
    expect(lines.filter(({ level }) => level === "error")).toHaveLength(1);
    await expect(backend.check?.(AbortSignal.timeout(5000))).rejects.toMatchObject({ code: "BACKEND_UNAVAILABLE" });
  });

  it("may change its password in the file", async () => {
    const file = join(slapd.authority, "..", "password");
    await writeFile(file, "wrong\n");
    const { bindPassword: _, ...rest } = plain;
    const { backend } = await openBackend({ ...rest, bindPasswordFile: file });
    expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toMatch(/^unavailable: /);
    await writeFile(file, "gatepw\n");
    await expect
      .poll(() => outcomeOf(signIn(backend, "alice", "alicepw")), { timeout: 10_000, interval: 50 })
      .toBe("authenticated");
    await backend.check?.(AbortSignal.timeout(5000));
  });

  it("that may read nothing makes the backend unavailable, and no user unknown", async () => {
    const { bindDN: _, bindPassword: __, ...anonymous } = plain;
    const { backend } = await openBackend(anonymous);
    expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toMatch(/^unavailable: .*searchBase is not there/);
    const { backend: astray } = await openBackend({ ...plain, searchBase: `ou=nowhere,${base}` });
    expect(await outcomeOf(signIn(astray, "alice", "alicepw"))).toMatch(/^unavailable: .*searchBase is not there/);
  });
});

describe("many logins at once", () => {
  it("never get each other's answers, and share few connections", async () => {
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
    const said = await slapd.logOf(async () => {
      const closed = (): number => count(slapd.output(), / closed/g);
      const before = closed();
      await Promise.all(Array.from({ length: 4 }, () => signIn(backend, "alice", "alicepw")));
      await expect.poll(closed, { timeout: 10_000 }).toBeGreaterThanOrEqual(before + 8);
    });
    expect(count(said, / UNBIND/g)).toBe(count(said, / ACCEPT/g));
    expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toBe("authenticated");
  });

  it("end at once when nobody waits for them any more", async () => {
    const { backend } = await openBackend({ ...plain, pool: { size: 1 } });
    const controller = new AbortController();
    const logins = Array.from({ length: 10 }, () => outcomeOf(signIn(backend, "alice", "alicepw", controller.signal)));
    controller.abort();
    for (const outcome of await Promise.all(logins)) expect(outcome).toMatch(/^unavailable: .*no longer wanted/);
    expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toBe("authenticated");
  });
});
