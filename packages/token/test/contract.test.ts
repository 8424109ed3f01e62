import { backendContract, basicAsk, bearerAsk } from "@registry-gate/auth-testkit";
import { test } from "vitest";
import { issueToken } from "../src/issue.ts";
import { randomKeys } from "../src/key-file.ts";
import { tokenBackend } from "../src/token-backend.ts";
import { aliceIdentity } from "./fixtures.ts";

const keys = await randomKeys();

/** Of a user whom a backend of the id that the contract gives had signed in: an identity keeps its backend. */
async function tokenOf(username: string, signedWith = keys): Promise<string> {
  const identity = { ...aliceIdentity, subject: username, username, backend: "backend-under-test" };
  const principal = { kind: "user", identity, via: "basic" } as const;
  const content = { issuer: "registry-gate", service: "registry", principal, access: [], ttl: 3_600_000 };
  return (await issueToken(signedWith, content)).token;
}

const [alice, bob, forged] = await Promise.all([
  tokenOf("alice"),
  tokenOf("bob"),
  tokenOf("alice", await randomKeys()),
]);

const cases = backendContract({
  open: async ({ id }) => tokenBackend({ id, keys }),
  users: [
    { ask: bearerAsk(alice), username: "alice", groups: ["dev", "ops"] },
    { ask: bearerAsk(bob), username: "bob", groups: ["dev", "ops"] },
  ],
  wrong: [bearerAsk(forged), bearerAsk(`${alice.slice(0, -4)}AAAA`)],
  unknown: [basicAsk("carol", "carol's canary")],
  foreign: [basicAsk("alice", "alice's canary"), bearerAsk("opaque-canary")],
  hostile: (name) => basicAsk(name, alice),
  secrets: [alice, bob, forged, "carol's canary", "alice's canary", "opaque-canary"],
});
for (const { name, run } of cases) test(`the token backend ${name}`, run);
