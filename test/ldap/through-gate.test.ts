import type { LdapOptions } from "@registry-gate/auth-ldap";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { basic } from "../support/basic.ts";
import { type DockerRegistry, startDockerRegistry } from "../support/docker-registry.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { type Relay, startRelay } from "../support/relay.ts";
import { type Samba, startSamba } from "../support/samba.ts";
import { type Slapd, startSlapd } from "../support/slapd.ts";
import { base, groupBase, openldap } from "./openldap.ts";

let slapd: Slapd;
let samba: Samba;
let registry: DockerRegistry;
beforeAll(async () => {
  [slapd, samba, registry] = await Promise.all([startSlapd(), startSamba(), startDockerRegistry()]);
});
afterAll(async () => {
  await registry?.close();
  await samba?.close();
  await slapd?.close();
});

const nestedGroups = (): LdapOptions => ({
  ...openldap(slapd),
  groups: { searchBase: groupBase, searchFilter: "(member={{dn}})", nested: true },
});
const activeDirectory = (): LdapOptions => ({
  urls: [samba.tlsUrl],
  caCert: samba.authority,
  bindDN: "CORP\\gate",
  bindPassword: "Passw0rd!",
  searchBase: "dc=corp,dc=example,dc=org",
  activeDirectory: true,
});

type Rule = Readonly<Record<"subjects" | "repositories" | "actions", readonly string[]>>;

async function gateWith(options: LdapOptions, access?: readonly Rule[]): Promise<RunningGate> {
  const gate = await startGate({
    configuration: {
      listen: { address: "127.0.0.1:0" },
      upstream: { url: registry.url },
      auth: { backends: [{ type: "ldap", ...options }] },
      ...(access !== undefined && { access }),
    },
  });
  onTestFinished(() => gate.close());
  return gate;
}

/** What a client gets to see of a response: everything but the time. */
async function ask(gate: RunningGate, username: string, password: string, path = "/v2/"): Promise<object> {
  const response = await fetch(`${gate.url}${path}`, { headers: basic(username, password) });
  const { date: _, "x-request-id": id = "", ...headers } = Object.fromEntries(response.headers);
  return { status: response.status, headers, body: (await response.text()).replace(id, "<id>") };
}

/** The status of beginning a push. */
async function push(gate: RunningGate, username: string, password: string, repository: string): Promise<number> {
  const headers = basic(username, password);
  const response = await fetch(`${gate.url}/v2/${repository}/blobs/uploads/`, { method: "POST", headers });
  await response.body?.cancel();
  return response.status;
}

/** Why the gate responded to its latest request as it did. */
async function reasonAfter(gate: RunningGate, act: () => Promise<unknown>): Promise<string> {
  await gate.settled();
  const requests = (): readonly unknown[] => gate.lines().filter(({ event }) => event === "request");
  const before = requests().length;
  await act();
  const record = await gate.logged((line) => line.event === "request" && requests().indexOf(line) >= before);
  return `${record.decision}: ${record.reason}`;
}

describe("a login that is refused looks the same outside, and says why in the log", () => {
  it("with OpenLDAP", async () => {
    const gate = await gateWith({ ...nestedGroups(), requiredGroup: "pushers" });
    const logins: readonly (readonly [username: string, password: string, reason: string])[] = [
      ["alice", "wrong", "wrong password"],
      ["nobody", "wrong", "no such user"],
      ["*", "alicepw", "no such user"],
      ["disabled", "disabledpw", "the account is locked"],
      ["mustchange", "mustchangepw", "the password must be changed"],
      ["carol", "carolpw", "is not in the required group"],
    ];
    await expectAlike(gate, logins);
    expect(await ask(gate, "alice", "alicepw")).toMatchObject({ status: 200 });
  });

  it("with Active Directory", async () => {
    const gate = await gateWith(activeDirectory());
    const logins = [
      ["alice", "wrong", "wrong password"],
      ["nobody", "wrong", "no such user"],
      ["OTHER\\alice", "Passw0rd!", "no such user"],
      ["disabled", "Passw0rd!", "the account is disabled"],
      ["expired", "Passw0rd!", "the password has expired"],
      ["accountexpired", "Passw0rd!", "the account has expired"],
      ["mustchange", "Passw0rd!", "the password must be changed"],
      ["hours", "Passw0rd!", "the account may not sign in at this hour"],
    ] as const;
    await expectAlike(gate, logins);
    const failure = ["locked", "wrong", "wrong password"] as const;
    await expectAlike(gate, [failure, failure, failure, ["locked", "Passw0rd!", "the account is locked"]]);
    expect(await ask(gate, "CORP\\alice", "Passw0rd!")).toMatchObject({ status: 200 });
    await gate.settled();
    expect(gate.output()).not.toContain("Passw0rd!");
  });

  async function expectAlike(
    gate: RunningGate,
    logins: readonly (readonly [username: string, password: string, reason: string])[],
  ): Promise<void> {
    const responses: object[] = [];
    for (const [username, password, reason] of logins) {
      const told = await reasonAfter(gate, async () => responses.push(await ask(gate, username, password)));
      expect(told).toBe(`unauthenticated: ldap: ${reason}`);
    }
    expect(responses[0]).toMatchObject({
      status: 401,
      headers: { "www-authenticate": 'Basic realm="Registry realm"' },
      body: expect.stringContaining('"code":"UNAUTHORIZED"'),
    });
    for (const answer of responses) expect(answer).toEqual(responses[0]);
  }
});

describe("a directory that gives no response", () => {
  it.each<[string, () => LdapOptions, RegExp]>([
    ["is not there", () => ({ ...nestedGroups(), urls: ["ldaps://127.0.0.1:1"] }), /connection refused/],
    ["refuses the service account", () => ({ ...nestedGroups(), bindPassword: "x" }), /invalid credentials \(49\)/],
    ["is not the one that is trusted", () => ({ ...nestedGroups(), caCert: samba.authority }), /certificate|signature/],
    ["has no such base", () => ({ ...nestedGroups(), searchBase: `ou=nowhere,${base}` }), /no such object/],
  ])("because it %s is a 503, for right and wrong passwords alike", async (_, options, reason) => {
    const gate = await gateWith(options());
    for (const password of ["alicepw", "wrong"]) {
      expect(await ask(gate, "alice", password)).toMatchObject({
        status: 503,
        headers: { "retry-after": expect.stringMatching(/^\d+$/) },
        body: expect.stringContaining('"code":"UNAVAILABLE"'),
      });
    }
    const outage = await gate.logged(({ msg, message }) => (msg ?? message) === "a backend is unavailable");
    expect(JSON.stringify(outage)).toMatch(reason);
    await gate.settled();
    expect(gate.output()).not.toMatch(/alicepw|gatepw/);
  });

  it("and comes back is asked again, while remembered logins went on all the time", async () => {
    const relay: Relay = await startRelay(slapd.tlsPort);
    onTestFinished(() => relay.close());
    const gate = await gateWith({
      ...nestedGroups(),
      urls: [`ldaps://127.0.0.1:${relay.port}`],
      connectTimeout: "500ms",
    });
    expect(await ask(gate, "alice", "alicepw")).toMatchObject({ status: 200 });
    relay.tamper(() => "reset");
    relay.resetAll();
    expect(await ask(gate, "bob", "bobpw")).toMatchObject({ status: 503 });
    expect(await ask(gate, "alice", "alicepw")).toMatchObject({ status: 200 });
    relay.pass();
    await expect
      .poll(() => ask(gate, "bob", "bobpw"), { timeout: 20_000, interval: 100 })
      .toMatchObject({ status: 200 });
  });
});

describe("rules", () => {
  const rule = (subject: string, repository: string): Rule => ({
    subjects: [subject],
    repositories: [repository],
    actions: ["pull", "push"],
  });

  it("name a nested group by its name, or by its DN however it is written", async () => {
    const gate = await gateWith(nestedGroups(), [
      rule("group:pushers", "by-name/**"),
      rule(`group:cn=pushers,${groupBase}`, "by-dn/**"),
      rule("group:CN=Push\\65rs , OU=Groups,DC=Example,dc=ORG", "by-another-spelling/**"),
      rule("group:cn=R&D (core)\\2C EU, ou=groups, dc=example, dc=org", "with-comma/**"),
      rule(`group:cn=pushers,ou=elsewhere,${base}`, "elsewhere/**"),
    ]);
    for (const place of ["by-name", "by-dn", "by-another-spelling", "with-comma"]) {
      expect(await push(gate, "alice", "alicepw", `${place}/app`)).toBe(202);
      expect(await push(gate, "carol", "carolpw", `${place}/app`)).toBe(403);
    }
    expect(await push(gate, "alice", "alicepw", "elsewhere/app")).toBe(403);
  });

  it("are not met by a group of the same name elsewhere, and without a base by no short name", async () => {
    const { groups: _, ...everywhere } = openldap(slapd);
    const gate = await gateWith(everywhere, [
      rule(`group:cn=pushers,${groupBase}`, "by-dn/**"),
      rule(`group:CN=pushers,OU=elsewhere,${base}`, "elsewhere/**"),
      rule("group:pushers", "by-name/**"),
      rule("group:developers", "by-name/**"),
    ]);
    expect(await push(gate, "carol", "carolpw", "by-dn/app")).toBe(403);
    expect(await push(gate, "carol", "carolpw", "by-name/app")).toBe(403);
    expect(await push(gate, "alice", "alicepw", "by-name/app")).toBe(403);
    expect(await push(gate, "carol", "carolpw", "elsewhere/app")).toBe(202);
  });

  it("name groups of Active Directory in both ways", async () => {
    const gate = await gateWith(activeDirectory(), [
      rule("group:pushers", "by-name/**"),
      rule("group:CN=pushers,OU=Groups,DC=corp,DC=example,DC=org", "by-dn/**"),
      rule("group:Domain Users", "everybody/**"),
      rule("group:newsletter", "mail/**"),
    ]);
    for (const place of ["by-name", "by-dn"]) {
      expect(await push(gate, "alice@corp.example.org", "Passw0rd!", `${place}/app`)).toBe(202);
      expect(await push(gate, "carol", "Passw0rd!", `${place}/app`)).toBe(403);
    }
    expect(await push(gate, "alice", "Passw0rd!", "everybody/app")).toBe(202);
    expect(await push(gate, "alice", "Passw0rd!", "mail/app")).toBe(403);
  });

  it("have the directory's spelling of a user's name", async () => {
    const gate = await gateWith(nestedGroups(), [
      rule("authenticated", "home/${username}/**"),
      rule("user:bob", "bobs/**"),
    ]);
    expect(await push(gate, "ALICE", "alicepw", "home/alice/app")).toBe(202);
    expect(await push(gate, "BOB", "bobpw", "bobs/app")).toBe(202);
    expect(await push(gate, "alice", "alicepw", "home/bob/app")).toBe(403);
  });
});

describe("remembered logins", () => {
  it("cost the directory one search and one bind for a hundred at once, and nothing afterwards", async () => {
    const gate = await gateWith(openldap(slapd));
    // Connections and the service account's binds are there beforehand.
    await ask(gate, "bob", "bobpw");
    const before = slapd.output().length;
    const responses = await Promise.all(Array.from({ length: 100 }, () => ask(gate, "alice", "alicepw")));
    for (const answer of responses) expect(answer).toMatchObject({ status: 200 });
    for (let request = 0; request < 20; request++) {
      expect(await ask(gate, "alice", "alicepw")).toMatchObject({ status: 200 });
    }
    // A later login of somebody else ends what slapd has written about these.
    await ask(gate, "carol", "carolpw");
    const said = (): string => slapd.output().slice(before);
    await expect.poll(said, { timeout: 10_000 }).toMatch(/BIND dn="uid=carol,[^"]*" mech=SIMPLE/);
    expect(said().match(/SRCH base="ou=people,[^"]*" .*filter="\(uid=alice\)"/g)).toHaveLength(1);
    expect(said().match(/ BIND dn="uid=alice,[^"]*" method=128/g)).toHaveLength(1);
  });
});
