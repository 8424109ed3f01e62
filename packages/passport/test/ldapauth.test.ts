import { readFile } from "node:fs/promises";
import type { AuthBackend } from "@registry-gate/auth";
import { authRequest, backendContract, basicAsk, bearerAsk } from "@registry-gate/auth-testkit";
import { identityByFields, passportBackend } from "@registry-gate/passport";
import LdapStrategy from "passport-ldapauth";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { blackHole, type Relay, startRelay } from "../../../test/support/relay.ts";
import { type Slapd, startSlapd } from "../../../test/support/slapd.ts";

const base = "dc=example,dc=org";
let slapd: Slapd;
const relays = new Map<AuthBackend, Relay>();

beforeAll(async () => {
  slapd = await startSlapd();
});
afterAll(async () => {
  for (const relay of relays.values()) await relay.close();
  await slapd?.close();
});

/** The strategy as its own documentation sets it up, through a relay of its own. */
async function open(id: string): Promise<AuthBackend> {
  const relay = await startRelay(slapd.tlsPort);
  const strategy = new LdapStrategy({
    server: {
      url: `ldaps://127.0.0.1:${relay.port}`,
      bindDN: `cn=gate,${base}`,
      bindCredentials: "gatepw",
      searchBase: `ou=people,${base}`,
      searchFilter: "(uid={{username}})",
      groupSearchBase: `ou=groups,${base}`,
      groupSearchFilter: "(member={{dn}})",
      groupSearchAttributes: ["cn"],
      tlsOptions: { ca: [await readFile(slapd.authority)] },
    },
  });
  const identity = identityByFields({
    username: "uid",
    subject: "dn",
    groups: "_groups.cn",
    claims: { email: "mail" },
  });
  const backend = passportBackend(strategy, { id, identity, timeout: "3s" });
  relays.set(backend, relay);
  return backend;
}

function relayOf(backend: AuthBackend): Relay {
  const relay = relays.get(backend);
  if (relay === undefined) throw new Error("the backend is not one of these");
  return relay;
}

describe("a backend of passport-ldapauth on OpenLDAP", () => {
  for (const { name, run } of backendContract({
    open: ({ id }) => open(id),
    users: [
      { ask: basicAsk("alice", "alicepw"), username: "alice", groups: ["developers", "R&D (core), EU"] },
      { ask: basicAsk("bob", "bobpw"), username: "bob", groups: ["developers", "circle-a"] },
    ],
    wrong: [basicAsk("load63", "another"), basicAsk("load62", "load63pw")],
    unknown: [basicAsk("nobody", "alicepw")],
    foreign: [bearerAsk("alicepw")],
    secrets: ["alicepw", "bobpw", "gatepw", "another", "load63pw"],
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
  })) {
    test(name, run);
  }

  test("knows a user's DN and e-mail address", async () => {
    const backend = await open("directory");
    expect(await backend.authenticate(authRequest(basicAsk("alice", "alicepw")))).toMatchObject({
      identity: { subject: `uid=alice,ou=people,${base}`, username: "alice", claims: { email: "alice@example.org" } },
    });
  });
});
