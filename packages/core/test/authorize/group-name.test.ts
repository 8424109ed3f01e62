import type { UserPrincipal } from "@registry-gate/auth";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compilePolicy } from "../../src/authorize/compile-policy.ts";
import { comparableGroup } from "../../src/authorize/group-name.ts";

const member = (...groups: string[]): UserPrincipal => ({
  kind: "user",
  via: "basic",
  identity: { subject: "alice", username: "alice", groups, backend: "directory" },
});

/** Whether a rule for one group is one for somebody in another. */
function isSame(subject: string, group: string): boolean {
  const policy = compilePolicy([{ subjects: [`group:${subject}`], repositories: ["**"], actions: ["pull"] }]);
  return policy.decide(member("others", group), { type: "repository", name: "app", action: "pull" }).allowed;
}

const pushers = "cn=pushers,ou=groups,dc=example,dc=org";

describe("a group that is named by its DN", () => {
  it.each([
    [pushers, pushers],
    ["CN=Pushers, OU=Groups, DC=Example, DC=Org", pushers],
    [pushers, "CN=Pushers,OU=Groups,DC=example,DC=org"],
    ["2.5.4.3=pushers,ou=groups,dc=example,dc=org", pushers],
    ["cn=\\70ushers,ou=groups,dc=example,dc=org", pushers],
    ["cn=R&D (core)\\2C EU,ou=groups,dc=example,dc=org", "cn=r&d (core)\\, eu,ou=groups,dc=example,dc=org"],
    ["uid=x+cn=a,dc=org", "CN=A+UID=X,DC=org"],
  ])("in a rule as %s is the group %s", (subject, group) => {
    expect(isSame(subject, group)).toBe(true);
  });

  it.each([
    ["pushers", pushers],
    ["cn=pushers", pushers],
    [pushers, "pushers"],
    [pushers, "cn=pushers"],
    [pushers, "cn=pushers,ou=elsewhere,dc=example,dc=org"],
    [pushers, `cn=pushers\\,ou=groups,dc=example,dc=org`],
    [pushers, `cn=x,${pushers}`],
    [`cn=x,${pushers}`, pushers],
  ])("in a rule as %s is not the group %s", (subject, group) => {
    expect(isSame(subject, group)).toBe(false);
  });

  it("is the same in whatever case and with whatever space it is written", () => {
    const value = fc.string({ unit: fc.constantFrom(..."abcXYZ019-_é"), minLength: 1, maxLength: 8 });
    const space = fc.constantFrom("", " ", "  ");
    fc.assert(
      fc.property(fc.array(value, { minLength: 2, maxLength: 4 }), space, space, (values, before, after) => {
        const plain = values.map((text) => `ou=${text}`).join(",");
        const written = values.map((text) => `OU${before}=${after}${text.toUpperCase()}`).join(`${after},${before}`);
        expect(isSame(written, plain)).toBe(true);
        expect(isSame(plain, written)).toBe(true);
      }),
    );
  });
});

describe("a group that is named by a name", () => {
  it.each([["Pushers"], ["Team=A"], ["A,B"], ["X=1;Y=2,Z"], ["CN=Pushers"], ["CN=A\\,B"]])(
    "such as %s is compared as it is",
    (name) => {
      expect(comparableGroup(name)).toBe(name);
      expect(isSame(name, name)).toBe(true);
      expect(isSame(name, name.toLowerCase())).toBe(false);
    },
  );

  it("is the same in every normalization form", () => {
    expect(isSame("Zoë".normalize("NFD"), "Zoë".normalize("NFC"))).toBe(true);
    expect(isSame("Zoë".normalize("NFC"), "Zoë".normalize("NFD"))).toBe(true);
  });
});
