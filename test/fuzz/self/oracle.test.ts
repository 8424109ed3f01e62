import { type Principal, registryProxy } from "@registry-gate/core";
import { expect, test } from "vitest";
import { may, owners, rules, userOf, users } from "../oracle.ts";

test("the oracle and the rules that the gate is given say the same", async () => {
  const access = rules.map((rule) => JSON.parse(JSON.stringify(rule)));
  const proxy = registryProxy({
    upstream: { url: "http://127.0.0.1:1" },
    backends: [{ id: "nobody", authenticate: async () => ({ status: "abstained" }) }],
    access,
  });
  try {
    for (const owner of owners) {
      for (const user of [...users, "anonymous"] as const) {
        const identity = { subject: user, username: user, groups: [], backend: "nobody" };
        const caller: Principal = user === "anonymous" ? { kind: user } : { kind: "user", identity, via: "basic" };
        const repository = `${owner}/app`;
        const expected = {
          pull: may(user, "pull", repository),
          push: may(user, "push", repository),
          delete: may(user, "delete", repository),
        };
        expect(proxy.permissions(caller, repository), `${user} on ${repository}`).toEqual(expected);
      }
    }
  } finally {
    await proxy.close();
  }
});

test("credentials that name two users, or none, authenticate nobody", () => {
  expect(userOf([])).toBe("anonymous");
  expect(userOf(["alice"])).toBe("alice");
  expect(userOf(["mally", "alice"])).toBeUndefined();
  expect(userOf(["wrong-password"])).toBeUndefined();
});
