import type { LdapOptions } from "@registry-gate/auth-ldap";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Samba, startSamba } from "../support/samba.ts";
import { check, stepsIn } from "./check-connect.ts";

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
    const { code, stderr } = await check({ backends: [active({ urls: [samba.url], allowCleartext: true })] });
    expect(stderr).toMatch(/service-bind failed: .*stronger authentication required \(8\)/);
    expect(code).toBe(1);
  });
});
