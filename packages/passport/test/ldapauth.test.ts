import { readFile } from "node:fs/promises";
import type { AuthBackend } from "@registry-gate/auth";
import { authRequest, backendContract, basicAsk, bearerAsk } from "@registry-gate/auth-testkit";
import { identityByFields, passportBackend } from "@registry-gate/passport";
import LdapStrategy from "passport-ldapauth";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startRelay } from "../../../test/support/relay.ts";
import { type Slapd, startSlapd } from "../../../test/support/slapd.ts";
import { throughRelays } from "../../../test/support/through-relays.ts";

const base = "dc=example,dc=org";
let slapd: Slapd;
const relays = throughRelays(
  () => startRelay(slapd.tlsPort),
  (relay, { id }) => open(relay.port, id),
);

beforeAll(async () => {
  slapd = await startSlapd();
});
afterAll(async () => {
  await relays.close();
  await slapd?.close();
});

/** The strategy as its own documentation sets it up. */
async function open(port: number, id: string): Promise<AuthBackend> {
  const strategy = new LdapStrategy({
    server: {
      url: `ldaps://127.0.0.1:${port}`,
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
  return passportBackend({ strategy, identity, timeout: "3s" }, { id });
}

describe("a backend of passport-ldapauth on OpenLDAP", () => {
  for (const { name, run } of backendContract({
    ...relays,
    users: [
      { ask: basicAsk("alice", "alicepw"), username: "alice", groups: ["developers", "R&D (core), EU"] },
      { ask: basicAsk("bob", "bobpw"), username: "bob", groups: ["developers", "circle-a"] },
    ],
    wrong: [basicAsk("load63", "another"), basicAsk("load62", "load63pw")],
    unknown: [basicAsk("nobody", "alicepw")],
    foreign: [bearerAsk("alicepw")],
    secrets: ["alicepw", "bobpw", "gatepw", "another", "load63pw"],
  })) {
    test(name, run);
  }

  test("knows a user's DN and e-mail address", async () => {
    const backend = await open(slapd.tlsPort, "directory");
    expect(await backend.authenticate(authRequest(basicAsk("alice", "alicepw")))).toMatchObject({
      identity: { subject: `uid=alice,ou=people,${base}`, username: "alice", claims: { email: "alice@example.org" } },
    });
  });
});
