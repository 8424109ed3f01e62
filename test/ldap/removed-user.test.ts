import { afterAll, beforeAll, expect, test } from "vitest";
import { basic } from "../support/basic.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { type Slapd, startSlapd } from "../support/slapd.ts";
import { base, openldap } from "./openldap.ts";

/** How long a user who was removed from the directory still passes, and how to end that at once. */

let slapd: Slapd;
let gate: RunningGate;

beforeAll(async () => {
  slapd = await startSlapd();
  gate = await startGate({
    configuration: {
      listen: { address: "127.0.0.1:0" },
      // Nothing is asked of it.
      upstream: { url: "http://127.0.0.1:1" },
      auth: { backends: [{ type: "ldap", ...openldap(slapd) }], cache: { ttl: "5h" } },
      access: [{ subjects: ["user:alice"], repositories: ["**"], actions: ["pull"] }],
    },
  });
});

afterAll(async () => {
  await gate?.close();
  await slapd?.close();
});

/** 200 where the login is good; nobody needs a permission for more. */
async function login(username: string, password: string): Promise<number> {
  const response = await fetch(`${gate.url}/v2/_catalog`, { headers: basic(username, password) });
  await response.arrayBuffer();
  return response.status;
}

test("forgets the remembered login of a removed LDAP user on SIGHUP, and keeps nobody else out", async () => {
  expect([await login("bob", "bobpw"), await login("carol", "carolpw")]).toEqual([200, 200]);
  await slapd.modify(`dn: uid=bob,ou=people,${base}\nchangetype: delete\n`);
  expect(await login("bob", "bobpw")).toBe(200);
  gate.kill("SIGHUP");
  await gate.logged(({ event }) => event === "reloaded");
  expect([await login("bob", "bobpw"), await login("carol", "carolpw")]).toEqual([401, 200]);
});
