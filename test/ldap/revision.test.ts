import { setTimeout } from "node:timers/promises";
import type { AuthBackend } from "@registry-gate/auth";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Samba, startSamba } from "../support/samba.ts";
import { type Slapd, startSlapd } from "../support/slapd.ts";
import { type LogEntry, openBackend, signIn } from "./login.ts";
import { base, changePassword, openldap } from "./openldap.ts";

/** The revision of a login, which a lookup of the same user must give too, and no line of the log may show. */
async function revisionOf(
  { backend, lines }: { readonly backend: AuthBackend; readonly lines: readonly LogEntry[] },
  username: string,
  password: string,
): Promise<string | undefined> {
  const result = await signIn(backend, username, password);
  if (result.status !== "authenticated") throw new Error(`${username}: ${JSON.stringify(result)}`);
  const { subject, revision } = result.identity;
  const found = await backend.lookup?.(subject, AbortSignal.timeout(30_000));
  expect(found?.revision).toBe(revision);
  if (revision !== undefined) expect(JSON.stringify(lines)).not.toContain(revision);
  return revision;
}

describe("on OpenLDAP, the revision", () => {
  let slapd: Slapd;
  beforeAll(async () => {
    slapd = await startSlapd();
  });
  afterAll(() => slapd?.close());

  it("changes with the password, and stays the same until then", async () => {
    const opened = await openBackend(openldap(slapd));
    const dn = `uid=alice,ou=people,${base}`;
    // The seed wrote this password before the policy was in force.
    expect(await revisionOf(opened, "alice", "alicepw")).toBeUndefined();
    await changePassword(slapd, dn, "another password");
    const before = await revisionOf(opened, "alice", "another password");
    expect(before).toMatch(/^[\w-]{22}$/);
    expect(await revisionOf(opened, "alice", "another password")).toBe(before);
    // pwdChangedTime counts in seconds.
    await setTimeout(1100);
    await changePassword(slapd, dn, "third password");
    const after = await revisionOf(opened, "alice", "third password");
    expect(after).toMatch(/^[\w-]{22}$/);
    expect(after).not.toBe(before);
  });
});

describe("on Active Directory, the revision", () => {
  let samba: Samba;
  beforeAll(async () => {
    samba = await startSamba();
  });
  afterAll(() => samba?.close());

  it("changes with the password, and stays the same until then", async () => {
    const domain = "dc=corp,dc=example,dc=org";
    const password = "Passw0rd!";
    const opened = await openBackend({
      urls: [samba.tlsUrl],
      caCert: samba.authority,
      bindDN: `cn=gate,cn=users,${domain}`,
      bindPassword: password,
      searchBase: domain,
      activeDirectory: true,
      timeout: "30s",
    });
    const before = await revisionOf(opened, "alice", password);
    expect(before).toMatch(/^[\w-]{22}$/);
    expect(await revisionOf(opened, "alice", password)).toBe(before);
    await samba.setPassword("alice", "An0ther!pass");
    expect(await revisionOf(opened, "alice", "An0ther!pass")).not.toBe(before);
  });
});
