import { parseDN } from "@registry-gate/auth-kit";
import { describe, expect, it } from "vitest";
import { createEntry, type Entry } from "../src/protocol/entry.ts";
import { domainOf, isPrincipal, parseLoginName } from "../src/user/login-name.ts";

describe("a name of Active Directory", () => {
  it.each([
    ["alice", { kind: "account", account: "alice" }],
    ["CORP\\alice", { kind: "down-level", domain: "CORP", account: "alice" }],
    ["CORP\\alice@x", { kind: "down-level", domain: "CORP", account: "alice@x" }],
    ["a@b", { kind: "principal", whole: "a@b", account: "a", suffix: "b" }],
    ["a@b@c", { kind: "principal", whole: "a@b@c", account: "a@b", suffix: "c" }],
  ])("%s is understood", (name, parsed) => {
    expect(parseLoginName(name)).toEqual(parsed);
  });

  it.each(["\\alice", "CORP\\", "@x", "alice@", "\\", "@"])("%s has an empty part", (name) => {
    expect(parseLoginName(name)).toBeUndefined();
  });

  const dn = parseDN("CN=Alice,OU=People,DC=corp,DC=example,DC=org") ?? [];
  const entry = (attributes: Readonly<Record<string, string>>): Entry =>
    createEntry(
      "",
      Object.entries(attributes).map(([name, value]) => [name, [Buffer.from(value)]]),
    );
  const alice = entry({ sAMAccountName: "alice", userPrincipalName: "alice.jones@example.org" });

  it.each([
    ["alice.jones@example.org", true],
    ["ALICE.Jones@Example.ORG", true],
    ["alice@corp.example.org", true],
    ["alice@example.org", false],
    ["alice.jones@corp.example.org", false],
    ["bob@corp.example.org", false],
  ])("%s in the form of a principal means her: %s", (name, means) => {
    const parsed = parseLoginName(name);
    if (parsed?.kind !== "principal") throw new Error("it is one");
    expect(isPrincipal(alice, dn, parsed)).toBe(means);
  });

  it("has its domain at the end of its DN, and nothing else of it", () => {
    const domain = (text: string): unknown => domainOf(parseDN(text) ?? []).map(([ava]) => ava?.value);
    expect(domain("CN=a,DC=fake,OU=x,DC=corp,DC=org")).toEqual(["corp", "org"]);
    expect(domain("CN=a,OU=x")).toEqual([]);
    expect(domain("CN=a,DC=x+OU=y,DC=org")).toEqual(["org"]);
  });
});
