import type { AuthBackend } from "@registry-gate/auth";
import { type LdapOptions, ldapBackend, plugin } from "@registry-gate/auth-ldap";
import { type BackendFixture, backendContract, basicAsk, bearerAsk, pluginContract } from "@registry-gate/auth-testkit";
import { afterAll, beforeAll, describe, it } from "vitest";
import { blackHole, type Relay, startRelay } from "../support/relay.ts";
import { type Samba, startSamba } from "../support/samba.ts";
import { type Slapd, startSlapd } from "../support/slapd.ts";

/** A backend whose connections go through a relay of its own, so that its directory can be taken away from it. */
interface Connected {
  readonly relay: Relay;
  readonly backend: AuthBackend;
}

/** The parts of a fixture that are the same for every directory. */
function throughRelays(
  relayTo: () => Promise<Relay>,
  optionsFor: (relay: Relay) => LdapOptions,
): Required<Pick<BackendFixture, "open" | "outage" | "silence">> & { close(): Promise<void> } {
  const opened: Connected[] = [];
  const relayOf = (backend: AuthBackend): Relay => {
    const connected = opened.find((known) => known.backend === backend);
    if (connected === undefined) throw new Error("the backend is not one of these");
    return connected.relay;
  };
  return {
    async open(context) {
      const relay = await relayTo();
      const backend = await ldapBackend({ ...optionsFor(relay), connectTimeout: "1s", timeout: "2s" }, context);
      opened.push({ relay, backend });
      return backend;
    },
    async outage(backend) {
      const relay = relayOf(backend);
      relay.tamper(() => "reset");
      relay.resetAll();
      return async () => relay.pass();
    },
    async silence(backend) {
      const relay = relayOf(backend);
      relay.tamper(blackHole);
      return async () => relay.pass();
    },
    async close() {
      await Promise.all(opened.map(({ relay }) => relay.close()));
    },
  };
}

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
    (relay) => ({
      urls: [`ldaps://127.0.0.1:${relay.port}`],
      caCert: slapd.authority,
      bindDN: `cn=gate,${base}`,
      bindPassword: "gatepw",
      searchBase: `ou=people,${base}`,
      groups: { searchBase: `ou=groups,${base}`, searchFilter: "(member={{dn}})", nested: true },
    }),
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
    (relay) => ({
      urls: [`ldaps://127.0.0.1:${relay.port}`],
      serverName: "dc1.corp.example.org",
      caCert: samba.authority,
      bindDN: "CORP\\gate",
      bindPassword: password,
      searchBase: base,
      activeDirectory: true,
    }),
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
    secrets: [password, "another"],
  };
  for (const { name, run } of backendContract(fixture)) it(name, run);
});
