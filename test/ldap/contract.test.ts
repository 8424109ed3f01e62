import { ldapBackend, plugin } from "@registry-gate/auth-ldap";
import { type BackendFixture, backendContract, basicAsk, bearerAsk, pluginContract } from "@registry-gate/auth-testkit";
import { afterAll, beforeAll, describe, it } from "vitest";
import { startRelay } from "../support/relay.ts";
import { type Samba, startSamba } from "../support/samba.ts";
import { type Slapd, startSlapd } from "../support/slapd.ts";
import { throughRelays } from "../support/through-relays.ts";
import { changePassword } from "./openldap.ts";

const timeLimit = { connectTimeout: "1s", timeout: "2s" };

describe("on OpenLDAP", () => {
  const base = "dc=example,dc=org";
  let slapd: Slapd;
  beforeAll(async () => {
    slapd = await startSlapd();
  });
  afterAll(async () => {
    await relays.close();
    await slapd?.close();
  });
  const relays = throughRelays(
    () => startRelay(slapd.tlsPort),
    (relay, context) =>
      ldapBackend(
        {
          ...timeLimit,
          urls: [`ldaps://127.0.0.1:${relay.port}`],
          caCert: slapd.authority,
          bindDN: `cn=gate,${base}`,
          bindPassword: "gatepw",
          searchBase: `ou=people,${base}`,
          groups: { searchBase: `ou=groups,${base}`, searchFilter: "(member={{dn}})", nested: true },
        },
        context,
      ),
  );
  const groups = ["developers", "engineering", "pushers", `cn=pushers,ou=groups,${base}`];
  const fixture: BackendFixture = {
    ...relays,
    users: [
      { ask: basicAsk("alice", "alicepw"), username: "alice", groups },
      { ask: basicAsk("BOB", "bobpw"), username: "bob", groups: [...groups, "circle-a", "circle-b"] },
      { ask: basicAsk("jsmith", "jsmithpw"), username: "jsmith", groups },
    ],
    wrong: [basicAsk("load63", "another"), basicAsk("load62", "load63pw")],
    unknown: [basicAsk("nobody", "alicepw")],
    foreign: [bearerAsk("alicepw")],
    async changePassword() {
      const dn = `uid=alice,ou=people,${base}`;
      await changePassword(slapd, dn, "alice-new-pw");
      return () => changePassword(slapd, dn, "alicepw");
    },
    secrets: ["alicepw", "bobpw", "jsmithpw", "gatepw", "another", "load63pw"],
  };
  for (const { name, run } of backendContract(fixture)) it(name, run);

  const options = {
    urls: ["ldaps://127.0.0.1:1"],
    bindDN: `cn=gate,${base}`,
    bindPassword: "gatepw",
    searchBase: base,
  };
  const contract = pluginContract({
    plugin,
    options: () => options,
    refused: [
      { options: {}, paths: [["urls"]] },
      { options: { ...options, urls: ["ldap://127.0.0.1"] }, paths: [["urls", 0]] },
      { options: { ...options, timeout: "soon", pool: { size: 0 } }, paths: [["timeout"], ["pool", "size"]] },
      { options: { ...options, searchFilter: "(uid=x)", bindDN: "EXTERNAL" }, paths: [["searchFilter"], ["bindDN"]] },
      { options: { ...options, caCert: "nowhere.pem" }, paths: [["caCert"]] },
    ],
  });
  for (const { name, run } of contract) it(name, run);
});

describe("on Active Directory", () => {
  const base = "dc=corp,dc=example,dc=org";
  const password = "Passw0rd!";
  let samba: Samba;
  beforeAll(async () => {
    samba = await startSamba();
  });
  afterAll(async () => {
    await relays.close();
    await samba?.close();
  });
  const relays = throughRelays(
    () => startRelay(636, samba.host),
    (relay, context) =>
      ldapBackend(
        {
          ...timeLimit,
          urls: [`ldaps://127.0.0.1:${relay.port}`],
          serverName: "dc1.corp.example.org",
          caCert: samba.authority,
          bindDN: "CORP\\gate",
          bindPassword: password,
          searchBase: base,
          activeDirectory: true,
        },
        context,
      ),
  );
  const groups = ["developers", "engineering", "pushers", "Domain Users", `cn=pushers,ou=groups,${base}`];
  const fixture: BackendFixture = {
    ...relays,
    users: [
      { ask: basicAsk("alice", password), username: "alice", groups },
      { ask: basicAsk("CORP\\bob", password), username: "bob", groups: [...groups, "circle-a", "circle-b"] },
    ],
    wrong: [basicAsk("carol", "another"), basicAsk("disabled", password), basicAsk("expired", password)],
    unknown: [basicAsk("nobody", password), basicAsk("OTHER\\alice", password)],
    foreign: [bearerAsk(password)],
    async changePassword() {
      await samba.setPassword("alice", "An0ther!pass");
      return () => samba.setPassword("alice", password);
    },
    secrets: [password, "another"],
  };
  for (const { name, run } of backendContract(fixture)) it(name, run);
});
