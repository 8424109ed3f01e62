import type { Principal, RegistryReadResult } from "@registry-gate/core";
import { expect, test, vi } from "vitest";
import { visibleRepositories } from "../../src/pages/repositories/visible.ts";
import { RegistryFaultError } from "../../src/registry/reader.ts";

function person(username: string, groups: readonly string[] = []): Principal {
  return { kind: "user", identity: { subject: username, username, groups, backend: "ldap" }, via: "session" };
}

/** A registry whose list names who asked. */
function stage() {
  let asked = 0;
  let names: (principal: Principal) => readonly string[] = (principal) =>
    principal.kind === "user" ? [`of/${principal.identity.username}`, ...principal.identity.groups] : [];
  const visible = visibleRepositories({
    permissions: (_principal, repository) => ({ pull: !repository.startsWith("secret/"), push: false, delete: false }),
    async read(principal): Promise<RegistryReadResult> {
      asked++;
      return { outcome: "read", status: 200, headers: {}, body: JSON.stringify({ repositories: names(principal) }) };
    },
  });
  return {
    visible,
    asked: () => asked,
    become(now: typeof names) {
      names = now;
    },
  };
}

test("a list is read once for all who ask at once, and for each person of their own", async () => {
  const { visible, asked } = stage();
  const lists = await Promise.all(Array.from({ length: 20 }, () => visible.list(person("alice"))));
  expect(asked()).toBe(1);
  for (const list of lists) expect(list.names).toEqual(["of/alice"]);
  expect((await visible.list(person("bob"))).names).toEqual(["of/bob"]);
  expect((await visible.list(person("bob", ["dev"]))).names).toEqual(["dev", "of/bob"]);
  expect(asked()).toBe(3);
});

test("an old list is shown at once, and read anew meanwhile", async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  try {
    const { visible, asked, become } = stage();
    await visible.list(person("alice"));
    become(() => ["new"]);
    vi.advanceTimersByTime(60_000);
    expect((await visible.list(person("alice"))).names).toEqual(["of/alice"]);
    await vi.waitUntil(() => asked() === 2, { timeout: 30_000 });
    await vi.waitUntil(async () => (await visible.list(person("alice"))).names[0] === "new", { timeout: 30_000 });
  } finally {
    vi.useRealTimers();
  }
});

test("what was pushed is in the list at once, for those who may pull it", async () => {
  const { visible } = stage();
  await visible.list(person("alice"));
  visible.pushed("new/app");
  visible.pushed("of/alice");
  visible.pushed("secret/app");
  expect((await visible.list(person("alice"))).names).toEqual(["new/app", "of/alice"]);
});

test("a registry that fails has no list, and is asked again; an old one stays", async () => {
  const { visible, become } = stage();
  become(() => {
    throw new Error("down");
  });
  await expect(visible.list(person("alice"))).rejects.toThrow(RegistryFaultError);
  become(() => ["up"]);
  expect((await visible.list(person("alice"))).names).toEqual(["up"]);
  vi.useFakeTimers({ toFake: ["performance"] });
  try {
    become(() => {
      throw new Error("down again");
    });
    vi.advanceTimersByTime(60_000);
    for (let times = 0; times < 3; times++) {
      expect((await visible.list(person("alice"))).names).toEqual(["up"]);
    }
  } finally {
    vi.useRealTimers();
  }
});
