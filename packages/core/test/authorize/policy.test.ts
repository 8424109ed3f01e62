import type { Access, Action, Identity, Principal } from "@registry-gate/auth";
import { describe, expect, test } from "vitest";
import { compilePolicy } from "../../src/authorize/compile-policy.ts";
import { anonymous } from "../../src/authorize/principal.ts";
import type { AccessRule } from "../../src/options/options.ts";
import { user } from "./generated-rules.ts";

const on = (name: string, action: Action): Access => ({ type: "repository", name, action });

const rules: AccessRule[] = [
  { subjects: ["anonymous"], repositories: ["public/**"], actions: ["pull"] },
  { subjects: ["authenticated"], repositories: ["**", "!secret/**"], actions: ["pull"] },
  { subjects: ["group:pushers"], repositories: ["team/**"], actions: ["push"], immutableTags: ["v*"] },
  { subjects: ["authenticated"], repositories: ["${username}/**"], actions: ["pull", "push", "delete"] },
  { subjects: ["user:ci"], repositories: ["ci-*/**"], actions: ["*"] },
];

describe("rules", () => {
  const policy = compilePolicy(rules);

  test.each<[who: string, principal: Principal, action: Action, repository: string, allowed: boolean]>([
    ["anybody", anonymous, "pull", "public/app", true],
    ["anybody", anonymous, "push", "public/app", false],
    ["anybody", anonymous, "pull", "team/app", false],
    ["somebody signed in, as anybody", user("alice"), "pull", "public/app", true],
    ["somebody signed in", user("alice"), "pull", "team/app", true],
    ["somebody signed in", user("alice"), "pull", "secret/app", false],
    ["somebody signed in", user("alice"), "push", "team/app", false],
    ["a pusher", user("alice", "pushers"), "push", "team/app", true],
    ["a pusher", user("alice", "pushers"), "push", "team", false],
    ["a pusher", user("alice", "pushers"), "delete", "team/app", false],
    ["a member of a group with a longer name", user("alice", "pushers2", "x-pushers"), "push", "team/app", false],
    ["a user called like the group", user("pushers"), "push", "team/app", false],
    ["the owner", user("alice"), "delete", "alice/app", true],
    ["another", user("bob"), "delete", "alice/app", false],
    ["ci", user("ci"), "delete", "ci-1/app", true],
    ["ci", user("ci"), "push", "team/app", false],
    ["somebody with ci in capitals", user("CI"), "push", "ci-1/app", false],
  ])("for %s (%j) say of %s on %s: %s", (_, principal, action, repository, allowed) => {
    expect(policy.decide(principal, on(repository, action)).allowed).toBe(allowed);
  });

  test("exclude in their own rule only", () => {
    const both = compilePolicy([
      { subjects: ["authenticated"], repositories: ["**", "!secret/**"], actions: ["pull"] },
      { subjects: ["group:admins"], repositories: ["secret/**"], actions: ["pull"] },
    ]);
    expect(both.decide(user("alice", "admins"), on("secret/app", "pull")).allowed).toBe(true);
    expect(both.decide(user("alice"), on("secret/app", "pull")).allowed).toBe(false);
  });

  test("that are empty allow nothing; without any, authenticated users can pull and push", () => {
    expect(compilePolicy([]).decide(user("alice"), on("app", "pull")).allowed).toBe(false);
    const open = compilePolicy(undefined);
    expect(open.decide(user("alice"), on("app", "pull")).allowed).toBe(true);
    expect(open.decide(user("alice"), on("app", "push")).allowed).toBe(true);
    expect(open.decide(user("alice"), on("app", "delete")).allowed).toBe(false);
    expect(open.decide(anonymous, on("app", "pull")).allowed).toBe(false);
    expect(open.immutableTags(user("alice"), "app", "push")).toBeUndefined();
  });

  test("apply to repositories only", () => {
    const all = compilePolicy([{ subjects: ["anonymous"], repositories: ["**"], actions: ["*"] }]);
    expect(all.decide(user("ci"), on("catalog", "pull")).allowed).toBe(true);
    expect(all.decide(user("ci"), { type: "registry", name: "catalog", action: "pull" }).allowed).toBe(false);
  });

  test("that only exclude reach nothing, and those for some names reach some", () => {
    const reach = (...repositories: string[]) =>
      compilePolicy([{ subjects: ["authenticated"], repositories, actions: ["pull"] }]).reach(user("alice"), "pull");
    expect(reach("!secret/**")).toBe("nothing");
    expect(reach("team/**")).toBe("something");
    expect(reach("**", "!secret/**")).toBe("something");
    expect(reach("team/**", "**")).toBe("everything");
  });

  test("protect tags, unless another rule lets the same action through without it", () => {
    const stays = (who: Principal, name: string, action: "push" | "delete", tag: string) =>
      policy.immutableTags(who, name, action)?.(tag) ?? false;
    const strict = user("alice", "pushers");
    expect(stays(strict, "team/app", "push", "v1")).toBe(true);
    expect(stays(strict, "team/app", "push", "latest")).toBe(false);
    expect(stays(strict, "alice/app", "push", "v1")).toBe(false);
    expect(stays(user("team", "pushers"), "team/app", "push", "v1")).toBe(false);
  });

  test("protect tags from each of their own actions, and others lift that for their own actions alone", () => {
    const everywhere = { subjects: ["authenticated"], repositories: ["**"] };
    const limited: AccessRule = { ...everywhere, actions: ["*"], immutableTags: ["v*", "stable"] };
    const stays = (rules: AccessRule[], action: "push" | "delete") =>
      compilePolicy(rules).immutableTags(user("alice"), "app", action)?.("v1") ?? false;
    expect([stays([limited], "push"), stays([limited], "delete")]).toEqual([true, true]);
    const pushes: AccessRule = { ...everywhere, actions: ["push"] };
    expect([stays([limited, pushes], "push"), stays([limited, pushes], "delete")]).toEqual([false, true]);
    const deletes: AccessRule = { ...everywhere, actions: ["delete"], immutableTags: ["stable"] };
    expect([stays([limited, deletes], "push"), stays([limited, deletes], "delete")]).toEqual([true, false]);
    expect(compilePolicy([limited, deletes]).immutableTags(user("alice"), "app", "delete")?.("stable")).toBe(true);
  });

  test("name users and groups in whichever form of Unicode they are written", () => {
    const access: AccessRule[] = [
      { subjects: ["user:a\u0308lice", "group:bu\u0308ro"], repositories: ["**"], actions: ["pull"] },
    ];
    const named = compilePolicy(access);
    expect(named.decide(user("\u00e4lice"), on("app", "pull")).allowed).toBe(true);
    expect(named.decide(user("bob", "b\u00fcro"), on("app", "pull")).allowed).toBe(true);
    expect(named.decide(user("alice", "buro"), on("app", "pull")).allowed).toBe(false);
  });

  test("are named by the first that allows", () => {
    expect(policy.decide(user("alice"), on("alice/app", "pull"))).toEqual({ allowed: true, rule: 1 });
    expect(policy.decide(user("alice"), on("alice/app", "push"))).toEqual({ allowed: true, rule: 3 });
    expect(compilePolicy(undefined).decide(user("alice"), on("app", "pull"))).toEqual({
      allowed: true,
      rule: undefined,
    });
  });
});

describe("rules that deny", () => {
  const all: AccessRule = { subjects: ["authenticated"], repositories: ["**"], actions: ["*"] };
  const decide = (denial: Partial<AccessRule>, who: Principal, name = "team/app", action: Action = "pull") =>
    compilePolicy([
      { subjects: ["user:mallory"], repositories: ["**"], actions: ["*"], ...denial, effect: "deny" },
      all,
    ]).decide(who, on(name, action));

  test("deny everything to one user and nothing to others, before or after the rules that allow", () => {
    expect(decide({}, user("mallory"))).toEqual({ allowed: false, rule: 0 });
    expect(decide({}, user("alice"))).toEqual({ allowed: true, rule: 1 });
    const behind = compilePolicy([
      all,
      { effect: "deny", subjects: ["user:mallory"], repositories: ["**"], actions: ["*"] },
    ]);
    expect(behind.decide(user("mallory"), on("team/app", "pull"))).toEqual({ allowed: false, rule: 1 });
  });

  test("by anonymous deny anybody, signed in or not", () => {
    const denial = { subjects: ["anonymous"], actions: ["delete"] as const };
    expect(decide(denial, user("alice"), "team/app", "delete").allowed).toBe(false);
    expect(decide(denial, anonymous, "team/app", "delete")).toEqual({ allowed: false, rule: 0 });
    expect(decide(denial, user("alice"), "team/app", "push").allowed).toBe(true);
  });

  test("do not deny what their patterns beginning with ! exclude", () => {
    const denial = { repositories: ["**", "!public/**"] };
    expect(decide(denial, user("mallory"), "public/app").allowed).toBe(true);
    expect(decide(denial, user("mallory"), "publicity/app").allowed).toBe(false);
  });

  test("apply to ${username}", () => {
    const denial = { subjects: ["authenticated"], repositories: ["**", "!${username}/**"] };
    expect(decide(denial, user("alice"), "alice/app").allowed).toBe(true);
    expect(decide(denial, user("alice"), "bob/app").allowed).toBe(false);
  });

  test("of one action deny a request for all of them", () => {
    expect(decide({ actions: ["delete"] }, user("mallory"), "team/app", "*").allowed).toBe(false);
    expect(decide({ actions: ["delete"] }, user("alice"), "team/app", "*").allowed).toBe(true);
  });

  test("cannot be bypassed by another Unicode form of a user or group name", () => {
    const named = { subjects: ["user:\u00e4lice", "group:b\u00fcro"] };
    expect(decide(named, user("a\u0308lice")).allowed).toBe(false);
    expect(decide(named, user("bob", "bu\u0308ro")).allowed).toBe(false);
    const decomposed = { subjects: ["user:a\u0308lice"] };
    expect(decide(decomposed, user("\u00e4lice")).allowed).toBe(false);
    // Upper and lower case are told apart, as they are in rules that allow.
    expect(decide({}, user("Mallory")).allowed).toBe(true);
  });

  test("apply to ambiguous groups, unlike rules that allow", () => {
    const principal: Principal = {
      kind: "user",
      via: "basic",
      identity: {
        subject: "mallory",
        username: "mallory",
        groups: ["cn=admins,ou=projects,dc=example"],
        ambiguousGroups: ["admins"],
        backend: "ldap",
      },
    };
    const all = { repositories: ["**"], actions: ["*" as const] };
    const allowed = compilePolicy([{ subjects: ["group:admins"], ...all }]);
    expect(allowed.decide(principal, on("team/app", "pull")).allowed).toBe(false);
    const denied = compilePolicy([
      { subjects: ["authenticated"], ...all },
      { effect: "deny", subjects: ["group:admins"], ...all },
    ]);
    expect(denied.decide(principal, on("team/app", "pull"))).toEqual({ allowed: false, rule: 1 });
    expect(denied.decide(user("alice"), on("team/app", "pull")).allowed).toBe(true);
  });

  test("deny a directory's user without regard to case", () => {
    const denial = { subjects: ["user:MALLORY"] };
    const { identity } = user("mallory");
    expect(decide(denial, { ...user("mallory"), identity: { ...identity, nameMatching: "folded" } }).allowed).toBe(
      false,
    );
    expect(decide(denial, { ...user("mallory"), identity }).allowed).toBe(true);
  });

  test("for any group apply to a user whose groups are incomplete, unlike rules that allow", () => {
    const principal: Principal = {
      kind: "user",
      via: "basic",
      identity: {
        ...{ subject: "alice", username: "alice", groups: ["ci"], backend: "idp" },
        groupsIncomplete: "the issuer left the claim groups out of the token",
      },
    };
    const all = { repositories: ["**"], actions: ["*" as const] };
    const allowed = (subject: string) =>
      compilePolicy([{ subjects: [subject], ...all }]).decide(principal, on("team/app", "push")).allowed;
    expect([allowed("group:pushers"), allowed("group:ci"), allowed("user:alice")]).toEqual([false, true, true]);
    const denying = (subject: string) =>
      compilePolicy([
        { subjects: ["authenticated"], ...all },
        { effect: "deny", subjects: [subject], ...all },
      ]);
    expect(denying("group:contractors").decide(principal, on("team/app", "pull"))).toEqual({ allowed: false, rule: 1 });
    expect(denying("user:mallory").decide(principal, on("team/app", "pull")).allowed).toBe(true);
    expect(denying("group:contractors").reach(principal, "pull")).toBe("nothing");
    const [explained] = compilePolicy([{ subjects: ["group:pushers"], ...all }]).explain(
      principal,
      on("team/app", "push"),
    );
    expect(explained?.reason).toBe(
      "its subjects do not include alice, whose groups are not all known: the issuer left the claim groups out of the token",
    );
  });

  test("limit how far a permission reaches", () => {
    const reach = (denial: Partial<AccessRule>, who: Principal) =>
      compilePolicy([
        all,
        { subjects: ["user:mallory"], repositories: ["**"], actions: ["*"], ...denial, effect: "deny" },
      ]).reach(who, "pull");
    expect(reach({}, user("alice"))).toBe("everything");
    expect(reach({}, user("mallory"))).toBe("nothing");
    expect(reach({ repositories: ["secret/**"] }, user("mallory"))).toBe("something");
    expect(reach({ repositories: ["**", "!a"] }, user("mallory"))).toBe("something");
    expect(reach({ repositories: ["!a"] }, user("mallory"))).toBe("everything");
    expect(reach({ actions: ["push"] }, user("mallory"))).toBe("everything");
  });

  test("are explained beside the rules that they overrule", () => {
    const explained = compilePolicy([
      all,
      { effect: "deny", subjects: ["group:leavers"], repositories: ["**"], actions: ["push"] },
      { ...all, immutableTags: ["v*", "stable"] },
    ]);
    const verdicts = (action: Action) =>
      explained.explain(user("bob", "leavers"), on("app", action)).map(({ allows, denies, reason }) => {
        return [allows ? "allows" : denies ? "denies" : "neither", reason];
      });
    expect(verdicts("push")).toEqual([
      ["allows", "allows push on app"],
      ["denies", "denies push on app"],
      ["allows", "allows push on app, but does not overwrite the tags v*, stable"],
    ]);
    expect(verdicts("delete")).toEqual([
      ["allows", "allows delete on app"],
      ["neither", "its actions do not include delete"],
      ["allows", "allows delete on app, but not of what the tags v*, stable refer to"],
    ]);
  });
});

describe("a group of a directory", () => {
  const everything = { repositories: ["**"], actions: ["*" as const] };
  const identity: Identity = {
    subject: "uid=alice,dc=example",
    username: "alice",
    groups: ["Release  Managers", "cn=pushers,ou=groups,dc=example"],
    ambiguousGroups: ["Leavers"],
    backend: "ldap",
  };
  const allowed = (subject: string, nameMatching?: "exact" | "folded") =>
    compilePolicy([{ subjects: [subject], ...everything }]).decide(
      { ...user("alice"), identity: nameMatching === undefined ? identity : { ...identity, nameMatching } },
      on("app", "pull"),
    ).allowed;
  const denied = (subject: string, nameMatching: "exact" | "folded") =>
    !compilePolicy([
      { subjects: ["authenticated"], ...everything },
      { effect: "deny", subjects: [subject], ...everything },
    ]).decide({ ...user("alice"), identity: { ...identity, nameMatching } }, on("app", "pull")).allowed;

  test("is compared as the directory does where the identity says so: without regard to case and repeated blanks", () => {
    for (const subject of ["group:release managers", "group:RELEASE MANAGERS", "group:Release  Managers"]) {
      expect(allowed(subject, "folded")).toBe(true);
    }
    expect(allowed("group:release", "folded")).toBe(false);
    expect(allowed("group:Leavers", "folded")).toBe(false);
  });

  test("is compared exactly otherwise", () => {
    for (const matching of [undefined, "exact"] as const) {
      expect(allowed("group:Release  Managers", matching)).toBe(true);
      expect(allowed("group:release managers", matching)).toBe(false);
    }
  });

  test("is compared by its DN in any case, whatever the identity says", () => {
    for (const matching of ["exact", "folded"] as const) {
      expect(allowed("group:CN=Pushers, OU=Groups, DC=example", matching)).toBe(true);
    }
  });

  test("that is ambiguous is denied without regard to case as well", () => {
    expect(denied("group:leavers", "folded")).toBe(true);
    expect(denied("group:leavers", "exact")).toBe(false);
    expect(denied("group:release managers", "folded")).toBe(true);
  });

  test("does not make rules for users less exact where they allow", () => {
    expect(allowed("user:alice", "folded")).toBe(true);
    expect(allowed("user:Alice", "folded")).toBe(false);
  });
});

describe("an explanation", () => {
  test("names a subject that differs only by case or spaces", () => {
    const of = (subject: string, principal: Principal): string | undefined =>
      compilePolicy([{ subjects: ["user:ci", subject], repositories: ["**"], actions: ["pull"] }]).explain(
        principal,
        on("app", "pull"),
      )[0]?.reason;
    expect(of("user:Alice", user("alice"))).toBe(
      "its subjects do not include alice, who is in no group; user:Alice differs by case alone",
    );
    expect(of("group:Pushers", user("alice", "pushers"))).toBe(
      "its subjects do not include alice or the groups pushers; group:Pushers differs by case alone",
    );
    expect(of("user:alice ", user("alice"))).toBe(
      'its subjects do not include alice, who is in no group; "user:alice " differs by spaces or Unicode forms alone',
    );
    expect(of("group:alice", user("alice"))).toBe("its subjects do not include alice, who is in no group");
    expect(of("user:pushers", user("alice", "pushers"))).toBe(
      "its subjects do not include alice or the groups pushers",
    );
  });

  test("does not claim that a user with unknown groups is in no group", () => {
    const [verdict] = compilePolicy([{ subjects: ["group:x"], repositories: ["**"], actions: ["pull"] }]).explain(
      user("alice"),
      on("app", "pull"),
      { groupsUnknown: true },
    );
    expect(verdict?.reason).toBe("its subjects do not include alice, whose groups are not known");
  });

  const reasons = (principal: Principal, access: Access) =>
    compilePolicy(rules)
      .explain(principal, access)
      .map(({ reason }) => reason);

  test("states for each rule why it does not apply, or what it allows", () => {
    expect(reasons(user("alice", "dev", "ops"), on("secret/app", "pull"))).toEqual([
      "its repositories do not include secret/app",
      "one of its repositories beginning with ! excludes secret/app",
      "its actions do not include pull",
      "its repositories do not include secret/app",
      "its subjects do not include alice or the groups dev, ops",
    ]);
    expect(reasons(user("bob"), on("team/app", "push"))[2]).toBe("its subjects do not include bob, who is in no group");
    expect(reasons(anonymous, on("team/app", "pull"))[1]).toBe("its subjects do not include an anonymous caller");
    expect(reasons(user("ci"), on("ci-1/app", "delete"))[4]).toBe("allows delete on ci-1/app");
  });

  test("without rules states the default", () => {
    const open = compilePolicy(undefined);
    const reason = "without access rules, authenticated users can pull and push";
    expect(open.explain(user("alice"), on("app", "push"))).toEqual([
      { rule: undefined, allows: true, denies: false, reason },
    ]);
    expect(open.explain(anonymous, on("app", "pull"))).toEqual([
      { rule: undefined, allows: false, denies: false, reason },
    ]);
  });
});
