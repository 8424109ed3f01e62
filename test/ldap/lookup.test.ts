import type { AuthBackend, Identity } from "@registry-gate/auth";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Samba, startSamba } from "../support/samba.ts";
import { type Slapd, startSlapd } from "../support/slapd.ts";
import { openBackend, outcomeOf, signIn } from "./login.ts";
import { base, openldap } from "./openldap.ts";

const people = `ou=people,${base}`;

/** @param dn As a subject has it: in its canonical form. */
function lookup(backend: AuthBackend, dn: string): Promise<Identity | undefined> {
  if (backend.lookup === undefined) throw new Error("the backend looks nobody up");
  return backend.lookup(dn, AbortSignal.timeout(30_000));
}

describe("on OpenLDAP, a lookup", () => {
  let slapd: Slapd;
  beforeAll(async () => {
    slapd = await startSlapd();
  });
  afterAll(() => slapd?.close());

  it("asks no password, and leaves no failed attempt", async () => {
    const { backend } = await openBackend(openldap(slapd));
    await lookup(backend, `uid=alice,${people}`);
    const log = await slapd.logOf(() => lookup(backend, `uid=alice,${people}`));
    expect(log).toContain(`SRCH base="uid=alice,${people}" scope=0`);
    expect(log).not.toContain("BIND");
  });

  it("follows the groups, and the end of an account", async () => {
    const { backend } = await openBackend(openldap(slapd));
    const dn = `uid=carol,${people}`;
    const add = (change: "add" | "delete") =>
      slapd.modify(`dn: cn=pushers,ou=groups,${base}\nchangetype: modify\n${change}: member\nmember: ${dn}\n`);
    expect((await lookup(backend, dn))?.groups).not.toContain("pushers");
    await add("add");
    expect((await lookup(backend, dn))?.groups).toContain("pushers");
    await add("delete");
    await slapd.modify(`dn: uid=leaver,${people}\nchangetype: add\nobjectClass: account\nuid: leaver\n`);
    expect(await lookup(backend, `uid=leaver,${people}`)).toMatchObject({ username: "leaver" });
    await slapd.modify(`dn: uid=leaver,${people}\nchangetype: delete\n`);
    expect(await lookup(backend, `uid=leaver,${people}`)).toBeUndefined();
  });

  it.each([["disabled"], ["mustchange"]])("finds nobody whose account is out of force: %s", async (uid) => {
    const { backend } = await openBackend(openldap(slapd));
    expect(await outcomeOf(signIn(backend, uid, `${uid}pw`))).toMatch(/^rejected/);
    expect(await lookup(backend, `uid=${uid},${people}`)).toBeUndefined();
  });

  it("finds somebody whom wrong passwords have locked out for a while", async () => {
    const { backend } = await openBackend(openldap(slapd));
    for (let failures = 0; failures < 3; failures++) await outcomeOf(signIn(backend, "locked", "wrong"));
    expect(await outcomeOf(signIn(backend, "locked", "wrong"))).toMatch(/locked|wrong/);
    expect(await lookup(backend, `uid=locked,${people}`)).toMatchObject({ username: "locked" });
  });

  it("finds no user that a login would not find or would reject", async () => {
    const plain = openldap(slapd);
    const alice = `uid=alice,${people}`;
    for (const more of [
      { searchFilter: "(&(uid={{username}})(description=nobody has this))" },
      { searchBase: `ou=groups,${base}` },
      { searchBase: base, searchScope: "one" as const },
      { requiredGroup: "circle-a" },
    ]) {
      const { backend } = await openBackend({ ...plain, ...more });
      expect(await outcomeOf(signIn(backend, "alice", "alicepw"))).toMatch(/^rejected/);
      expect(await lookup(backend, alice)).toBeUndefined();
    }
    const { backend } = await openBackend({ ...plain, searchFilter: "(&(mail={{username}})(uid=*))" });
    expect(await lookup(backend, alice)).toMatchObject({ username: "alice" });
  });

  it("is an outage where the place of all users is not there", async () => {
    const { backend } = await openBackend({ ...openldap(slapd), searchBase: `ou=nowhere,${base}` });
    await expect(lookup(backend, `uid=alice,ou=nowhere,${base}`)).rejects.toMatchObject({
      code: "BACKEND_UNAVAILABLE",
    });
  });

  it("works with a template of DNs, and is not there where users alone can read their entries", async () => {
    const { searchBase: _, bindDN, bindPassword, ...rest } = { ...openldap(slapd) };
    const template = { ...rest, userDNTemplate: `uid={{username}},${people}` };
    const account = { bindDN: `cn=gate,${base}`, bindPassword: "gatepw" };
    expect([bindDN, bindPassword]).toEqual(Object.values(account));
    const { backend } = await openBackend({ ...template, ...account });
    const login = await signIn(backend, "alice", "alicepw");
    expect(login).toMatchObject({ identity: await lookup(backend, `uid=alice,${people}`) });
    expect(await lookup(backend, `uid=nobody,${people}`)).toBeUndefined();
    expect(await lookup(backend, `cn=pushers,ou=groups,${base}`)).toBeUndefined();
    expect((await openBackend(template)).backend.lookup).toBeUndefined();
  });
});

describe("on Active Directory, a lookup", () => {
  const domain = "dc=corp,dc=example,dc=org";
  const password = "Passw0rd!";
  let samba: Samba;
  let backend: AuthBackend;
  beforeAll(async () => {
    samba = await startSamba();
  });
  afterAll(() => samba?.close());

  async function open(): Promise<void> {
    ({ backend } = await openBackend({
      urls: [samba.tlsUrl],
      caCert: samba.authority,
      bindDN: `cn=gate,cn=users,${domain}`,
      bindPassword: password,
      searchBase: domain,
      activeDirectory: true,
      timeout: "30s",
    }));
  }
  const found = (name: string): Promise<Identity | undefined> => lookup(backend, `cn=${name},ou=people,${domain}`);

  it.each(["disabled", "accountexpired", "expired", "mustchange"])(
    "finds nobody whose account is out of force: %s",
    async (name) => {
      await open();
      expect(await outcomeOf(signIn(backend, name, password))).toMatch(/^rejected/);
      expect(await found(name)).toBeUndefined();
    },
  );

  it("finds somebody whom wrong passwords have locked out for a while", async () => {
    await open();
    for (let failures = 0; failures < 3; failures++) await outcomeOf(signIn(backend, "locked", "wrong"));
    expect(await outcomeOf(signIn(backend, "locked", password))).toBe("rejected: the account is locked");
    expect(await found("locked")).toMatchObject({ username: "locked" });
  });

  it("finds no computer, group or contact", async () => {
    await open();
    const computer = `cn=dc1,ou=domain controllers,${domain}`;
    for (const dn of [computer, `cn=pushers,ou=groups,${domain}`]) {
      expect(await lookup(backend, dn)).toBeUndefined();
    }
    expect(await found("alice")).toMatchObject({ username: "alice" });
  });
});
