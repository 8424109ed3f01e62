import type { LdapOptions } from "@registry-gate/auth-ldap";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { openSocket } from "../../packages/auth-ldap/src/connect/open-socket.ts";
import { openTlsIdentity } from "../../packages/auth-ldap/src/connect/tls-identity.ts";
import { anything } from "../../packages/auth-ldap/src/filter/filter.ts";
import { rangedValues } from "../../packages/auth-ldap/src/groups/ranged-values.ts";
import { createSession } from "../../packages/auth-ldap/src/protocol/session.ts";
import { startRelay } from "../support/relay.ts";
import { type Samba, startSamba } from "../support/samba.ts";
import { groupsOf, openBackend, outcomeOf, signIn } from "./login.ts";

const base = "dc=corp,dc=example,dc=org";
const password = "Passw0rd!";
const groupBase = `ou=groups,${base}`;

let samba: Samba;
let plain: LdapOptions;
beforeAll(async () => {
  samba = await startSamba();
  plain = {
    urls: [samba.tlsUrl],
    caCert: samba.authority,
    bindDN: `cn=gate,cn=users,${base}`,
    bindPassword: password,
    searchBase: base,
    activeDirectory: true,
    // The rule in chain takes the server seconds on a busy machine.
    timeout: "30s",
  };
});
afterAll(() => samba?.close());

/** The names of the groups without their DNs. */
const namesOf = async (options: LdapOptions, username: string): Promise<readonly string[]> => {
  const { backend } = await openBackend(options);
  return (await groupsOf(backend, username, password)).filter((name) => !name.endsWith(base));
};

describe("a login to Active Directory", () => {
  it.each([
    ["alice", "alice"],
    ["ALICE", "alice"],
    ["CORP\\alice", "alice"],
    ["corp\\ALICE", "alice"],
    ["alice@corp.example.org", "alice"],
    ["Alice@CORP.example.org", "alice"],
    ["robert@other.example", "bob"],
    ["bob@corp.example.org", "bob"],
    ["CORP\\bob", "bob"],
    ["jsmith", "jsmith"],
    ["zoë", "zoë"],
    ["lead", "lead"],
    ["hash", "hash"],
  ])("knows %s as %s", async (typed, username) => {
    const { backend } = await openBackend(plain);
    expect(await signIn(backend, typed, password)).toMatchObject({ status: "authenticated", identity: { username } });
    expect(await outcomeOf(signIn(backend, typed, "wrong"))).toBe("rejected: wrong password");
  });

  it.each([
    ["OTHER\\alice"],
    ["\\alice"],
    ["CORP\\"],
    ["alice@other.example"],
    ["bob@other.example"],
    ["@corp.example.org"],
    ["alice@"],
    ["dc1$"],
    ["CORP\\dc1$"],
    ["*"],
    ["ali*"],
    ["*)(sAMAccountName=*"],
    ["alice\\00"],
    ["EXTERNAL"],
    ["a\\00"],
    ["alice)(objectClass=*"],
    ["CORP\\*"],
    ["*@corp.example.org"],
    ["CORP\\alice)(cn=*"],
    ["alice\u2028"],
    [`cn=alice,ou=people,${base}`],
  ])("does not know %s", async (typed) => {
    const { backend } = await openBackend(plain);
    expect(await outcomeOf(signIn(backend, typed, password))).toBe("rejected: no such user");
  });

  it.each([
    ["disabled", "the account is disabled"],
    ["smartcard", "wrong password"],
    ["mustchange", "the password must be changed"],
    ["accountexpired", "the account has expired"],
    ["expired", "the password has expired"],
    ["hours", "the account may not sign in at this hour"],
    ["workstation", "the account may not sign in from this machine"],
  ])("is rejected for %s: %s", async (username, reason) => {
    const { backend } = await openBackend(plain);
    expect(await outcomeOf(signIn(backend, username, password))).toBe(`rejected: ${reason}`);
  });

  it("is rejected where the account has been locked", async () => {
    const { backend } = await openBackend(plain);
    expect(await outcomeOf(signIn(backend, "locked", password))).toBe("authenticated");
    for (let failures = 0; failures < 3; failures++) {
      expect(await outcomeOf(signIn(backend, "locked", "wrong"))).toBe("rejected: wrong password");
    }
    expect(await outcomeOf(signIn(backend, "locked", password))).toBe("rejected: the account is locked");
  });

  it("is rejected with an empty password, and for names with control characters", async () => {
    const { backend } = await openBackend(plain);
    expect(await outcomeOf(signIn(backend, "alice", ""))).toBe("rejected: the password is empty");
    expect(await outcomeOf(signIn(backend, "alice\0x", password))).toMatch(
      /^rejected: the user name contains invalid characters/,
    );
  });

  it.each([["CORP\\gate"], ["gate@corp.example.org"]])(
    "works with the service account written as %s",
    async (bindDN) => {
      const { backend } = await openBackend({ ...plain, bindDN });
      expect(await outcomeOf(signIn(backend, "alice", password))).toBe("authenticated");
      await backend.check?.(AbortSignal.timeout(5000));
    },
  );

  it("works by StartTLS, and is refused in clear text by the server", async () => {
    const { backend } = await openBackend({ ...plain, urls: [samba.url], startTLS: true });
    expect(await outcomeOf(signIn(backend, "alice", password))).toBe("authenticated");
    const { caCert: _, ...rest } = plain;
    const clear = await openBackend({ ...rest, urls: [samba.url], allowCleartext: true });
    expect(await outcomeOf(signIn(clear.backend, "alice", password))).toBe(
      "unavailable: ldap: service account rejected: stronger authentication required (8)",
    );
  });

  it("by another filter takes the name as it is typed", async () => {
    const { backend } = await openBackend({ ...plain, searchFilter: "(&(objectClass=user)(mail={{username}}))" });
    expect(await signIn(backend, "alice@example.org", password)).toMatchObject({ identity: { username: "alice" } });
    expect(await outcomeOf(signIn(backend, "alice", password))).toBe("rejected: no such user");
  });
});

describe("what a login asks a domain controller", () => {
  /** TLS records that hold data: each request is one, because each waits for the response to the one before. */
  const requestsIn = (bytes: Buffer): number => {
    let count = 0;
    for (let at = 0; at + 5 <= bytes.length; at += 5 + bytes.readUInt16BE(at + 3)) if (bytes[at] === 0x17) count++;
    return count;
  };

  it.each<[string, Partial<LdapOptions>, string, number]>([
    ["a search, a bind, the token and the groups in it", {}, "alice", 4],
    ["no more for a name with a domain", {}, "alice@corp.example.org", 4],
    ["no more for the short name of a domain, once the domains are known", {}, "CORP\\alice", 4],
    ["a search, a bind and the groups, where nested ones are not wanted", { groups: { nested: false } }, "alice", 3],
    [
      "a search, a bind, and the account names of the groups of memberOf",
      { groups: { memberOfAttribute: "memberOf", nested: false } },
      "alice",
      3,
    ],
    [
      "a search and a bind, where memberOf is enough for the names",
      { groups: { memberOfAttribute: "memberOf", nested: false, nameAttribute: "cn", searchBase: groupBase } },
      "alice",
      2,
    ],
  ])("is %s", async (_, options, username, requests) => {
    const relay = await startRelay(636, samba.host);
    onTestFinished(() => relay.close());
    const { backend } = await openBackend({
      ...plain,
      ...options,
      urls: [`ldaps://127.0.0.1:${relay.port}`],
      serverName: "dc1.corp.example.org",
    });
    expect(await outcomeOf(signIn(backend, username, password))).toBe("authenticated");
    const before = relay.sent().length;
    expect(await outcomeOf(signIn(backend, username, password))).toBe("authenticated");
    expect(requestsIn(relay.sent().subarray(before))).toBe(requests);
  });
});

describe("groups of Active Directory", () => {
  it("are those of the token: nested, primary and built in, but not those for mail alone", async () => {
    expect(await namesOf(plain, "alice")).toEqual(
      [
        ...["Domain Users", "rnd eu", "Users", "crowd", "developers", "engineering", "local", "pushers"],
        "universal",
      ].sort(),
    );
    expect(await namesOf(plain, "bob")).toEqual(
      ["Domain Users", "Users", "circle-a", "circle-b", "developers", "engineering", "pushers"].sort(),
    );
    expect(await namesOf(plain, "carol")).toContain("staff");
  });

  it("are those at hand where nested groups are not wanted", async () => {
    const options = { ...plain, groups: { nested: false } };
    expect(await namesOf(options, "alice")).toEqual(
      ["Domain Users", "rnd eu", "crowd", "developers", "local", "universal"].sort(),
    );
    // Her first primary group has become an ordinary one when she was given another.
    expect(await namesOf(options, "carol")).toEqual(["Domain Users", "lookalike", "staff"]);
  });

  it("below the base alone count, where there is one", async () => {
    expect(await namesOf({ ...plain, groups: { searchBase: groupBase } }, "bob")).toEqual([
      "circle-a",
      "circle-b",
      "developers",
      "engineering",
      "pushers",
    ]);
  });

  it.each([
    ["a walk", "(member={{dn}})"],
    ["the rule of the server", "(member:1.2.840.113556.1.4.1941:={{dn}})"],
  ])("by a filter of one's own, and %s, can be those for mail as well", async (_, searchFilter) => {
    expect(await namesOf({ ...plain, groups: { searchBase: groupBase, searchFilter } }, "alice")).toEqual(
      [...["rnd eu", "crowd", "developers", "engineering", "local", "newsletter", "pushers", "universal"]].sort(),
    );
  });

  it("by memberOf are those in the entry", async () => {
    const groups = { memberOfAttribute: "memberOf", nested: false };
    expect(await namesOf({ ...plain, groups }, "alice")).toEqual(
      ["rnd eu", "crowd", "developers", "local", "newsletter", "universal"].sort(),
    );
  });

  it("are called by their account names, which are unique in a domain, and never by a cn", async () => {
    const result = await namesOf(plain, "alice");
    expect(result).toContain("rnd eu");
    expect(result).not.toContain("R&D (core), EU");
    // Hers is CN=pushers in another unit.
    expect(await namesOf(plain, "carol")).not.toContain("pushers");
    expect(await namesOf({ ...plain, groups: { nested: false } }, "carol")).toContain("lookalike");
    const everywhere = { searchBase: base, nameAttribute: "cn" };
    expect(await namesOf({ ...plain, groups: everywhere }, "carol")).not.toContain("pushers");
    expect(await namesOf({ ...plain, groups: everywhere }, "alice")).toContain("developers");
    const byCn = await openBackend({ ...plain, groups: { nameAttribute: "cn" } });
    expect((await groupsOf(byCn.backend, "alice", password)).filter((name) => !name.endsWith(base))).toEqual([]);
    expect(byCn.lines).toMatchObject([{ level: "warn", message: expect.stringMatching(/^groups\.searchBase: /) }]);
    expect(await namesOf({ ...plain, groups: { nameAttribute: "cn", searchBase: groupBase } }, "alice")).toContain(
      "R&D (core), EU",
    );
  });

  it("can be required by their DN, and by their account name", async () => {
    const requiredGroup = `CN=Pushers,OU=Groups,${base.toUpperCase()}`;
    for (const group of [requiredGroup, "pushers"]) {
      const { backend } = await openBackend({ ...plain, requiredGroup: group });
      expect(await outcomeOf(signIn(backend, "CORP\\alice", password))).toBe("authenticated");
      expect(await outcomeOf(signIn(backend, "carol", password))).toBe("rejected: is not in the required group");
    }
  });

  it("with thousands of members are read in parts, and in full", async () => {
    const signal = AbortSignal.timeout(20_000);
    const identity = await openTlsIdentity(
      { caCert: samba.authority, clientCert: undefined, clientKey: undefined },
      { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
    );
    const address = { url: samba.tlsUrl, ldaps: true, host: samba.host, port: 636 };
    const connect = {
      startTLS: false,
      serverName: undefined,
      connectTimeout: 5000,
      secureContext: () => identity.current(),
    };
    const session = createSession(await openSocket(address, connect, signal), samba.tlsUrl, 20_000);
    try {
      expect(await session.bind("CORP\\gate", password, signal)).toMatchObject({ code: 0 });
      const { entries } = await session.search(
        { base: `cn=crowd,${groupBase}`, scope: "base", filter: anything, attributes: ["member;range=0-999"] },
        signal,
      );
      const [entry] = entries;
      if (entry === undefined) throw new Error("the group is there");
      expect(entry.names).toContain("member;range=0-999");
      const members = await rangedValues(session, entry, "member", signal);
      expect(new Set(members).size).toBe(2001);
    } finally {
      session.close();
      identity.close();
    }
  });
});
