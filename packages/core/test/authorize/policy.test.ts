import type { Access, Action } from "@registry-gate/auth";
import { describe, expect, test } from "vitest";
import { compilePolicy } from "../../src/authorize/policy.ts";
import type { Principal } from "../../src/authorize/principal.ts";
import type { AccessRule } from "../../src/options.ts";
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
    ["anybody", "anonymous", "pull", "public/app", true],
    ["anybody", "anonymous", "push", "public/app", false],
    ["anybody", "anonymous", "pull", "team/app", false],
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

  test("take away in their own rule only", () => {
    const both = compilePolicy([
      { subjects: ["authenticated"], repositories: ["**", "!secret/**"], actions: ["pull"] },
      { subjects: ["group:admins"], repositories: ["secret/**"], actions: ["pull"] },
    ]);
    expect(both.decide(user("alice", "admins"), on("secret/app", "pull")).allowed).toBe(true);
    expect(both.decide(user("alice"), on("secret/app", "pull")).allowed).toBe(false);
  });

  test("that are empty allow nothing; without any, whoever is signed in may pull and push", () => {
    expect(compilePolicy([]).decide(user("alice"), on("app", "pull")).allowed).toBe(false);
    const open = compilePolicy(undefined);
    expect(open.decide(user("alice"), on("app", "pull")).allowed).toBe(true);
    expect(open.decide(user("alice"), on("app", "push")).allowed).toBe(true);
    expect(open.decide(user("alice"), on("app", "delete")).allowed).toBe(false);
    expect(open.decide("anonymous", on("app", "pull")).allowed).toBe(false);
    expect(open.mayOverwrite(user("alice"), "app", "v1")).toBe(true);
    expect(open.mayOverwrite("anonymous", "app", "v1")).toBe(false);
  });

  test("reach no further than repositories", () => {
    const all = compilePolicy([{ subjects: ["anonymous"], repositories: ["**"], actions: ["*"] }]);
    expect(all.decide(user("ci"), on("catalog", "pull")).allowed).toBe(true);
    expect(all.decide(user("ci"), { type: "registry", name: "catalog", action: "pull" }).allowed).toBe(false);
  });

  test("that only take away reach nothing, and those for some names reach some", () => {
    const reach = (...repositories: string[]) =>
      compilePolicy([{ subjects: ["authenticated"], repositories, actions: ["pull"] }]).reach(user("alice"), "pull");
    expect(reach("!secret/**")).toBe("nothing");
    expect(reach("team/**")).toBe("something");
    expect(reach("**", "!secret/**")).toBe("something");
    expect(reach("team/**", "**")).toBe("everything");
  });

  test("protect tags, unless another rule lets the push through without it", () => {
    const strict = user("alice", "pushers");
    expect(policy.mayOverwrite(strict, "team/app", "v1")).toBe(false);
    expect(policy.mayOverwrite(strict, "team/app", "latest")).toBe(true);
    expect(policy.mayOverwrite(strict, "alice/app", "v1")).toBe(true);
    expect(policy.mayOverwrite(user("team", "pushers"), "team/app", "v1")).toBe(true);
    expect(policy.mayOverwrite(user("bob"), "team/app", "latest")).toBe(false);
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

  test("are quoted by the first that allows", () => {
    expect(policy.decide(user("alice"), on("alice/app", "pull"))).toEqual({ allowed: true, rule: 1 });
    expect(policy.decide(user("alice"), on("alice/app", "push"))).toEqual({ allowed: true, rule: 3 });
    expect(compilePolicy(undefined).decide(user("alice"), on("app", "pull"))).toEqual({
      allowed: true,
      rule: undefined,
    });
  });
});

describe("an explanation", () => {
  const reasons = (principal: Principal, access: Access) =>
    compilePolicy(rules)
      .explain(principal, access)
      .map(({ reason }) => reason);

  test("says of each rule why it does not allow, and what it allows", () => {
    expect(reasons(user("alice", "dev", "ops"), on("secret/app", "pull"))).toEqual([
      "its repositories do not include secret/app",
      "one of its repositories beginning with ! takes secret/app away",
      "its actions do not include pull",
      "its repositories do not include secret/app",
      "its subjects do not include alice or the groups dev, ops",
    ]);
    expect(reasons(user("bob"), on("team/app", "push"))[2]).toBe("its subjects do not include bob, who is in no group");
    expect(reasons("anonymous", on("team/app", "pull"))[1]).toBe("its subjects do not include an anonymous caller");
    expect(reasons(user("ci"), on("ci-1/app", "delete"))[4]).toBe("allows delete on ci-1/app");
  });

  test("without rules says what stands in their place", () => {
    const open = compilePolicy(undefined);
    const reason = "without access rules, whoever is authenticated may pull and push";
    expect(open.explain(user("alice"), on("app", "push"))).toEqual([{ rule: undefined, allows: true, reason }]);
    expect(open.explain("anonymous", on("app", "pull"))).toEqual([{ rule: undefined, allows: false, reason }]);
  });
});
