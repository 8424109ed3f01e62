import type { Access, Action } from "@registry-gate/auth";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { authorize } from "../../src/authorize/authorize.ts";
import { compilePolicy } from "../../src/authorize/policy.ts";
import type { Principal } from "../../src/authorize/principal.ts";
import type { AccessRule } from "../../src/options.ts";
import { parseRoute } from "../../src/route/parse-route.ts";
import { validateOptions } from "../../src/validate-options.ts";

const user = (username: string, ...groups: string[]): Principal => ({
  identity: { subject: username, username, groups, backend: "test" },
});
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
  });

  test("reach no further than repositories", () => {
    expect(policy.decide(user("ci"), { type: "registry", name: "catalog", action: "*" }).allowed).toBe(false);
  });

  test("protect tags, unless another rule lets the push through without it", () => {
    const strict = user("alice", "pushers");
    expect(policy.mayOverwrite(strict, "team/app", "v1")).toBe(false);
    expect(policy.mayOverwrite(strict, "team/app", "latest")).toBe(true);
    expect(policy.mayOverwrite(strict, "alice/app", "v1")).toBe(true);
    expect(policy.mayOverwrite(user("team", "pushers"), "team/app", "v1")).toBe(true);
    expect(policy.mayOverwrite(user("bob"), "team/app", "latest")).toBe(false);
  });
});

const subject = fc.constantFrom("anonymous", "authenticated", "user:alice", "user:bob", "group:dev", "group:ops");
const glob = fc.constantFrom(
  "**",
  "*",
  "team/**",
  "team/*",
  "alice/**",
  "${username}/**",
  "!team/secret",
  "!**",
  "!team/**",
);
const action = fc.constantFrom<Action>("pull", "push", "delete", "*");
const rule: fc.Arbitrary<AccessRule> = fc.record({
  subjects: fc.array(subject, { maxLength: 2 }),
  repositories: fc.array(glob, { maxLength: 3 }),
  actions: fc.array(action, { maxLength: 2 }),
});
const someRules = fc.array(rule, { maxLength: 5 });
const principal: fc.Arbitrary<Principal> = fc.constantFrom<Principal>(
  "anonymous",
  user("alice"),
  user("bob", "dev"),
  user("carol", "dev", "ops"),
);
const repository = fc.constantFrom("team/app", "team/secret", "alice/app", "bob/x/y", "app", "team");
const asked = fc.constantFrom<Action>("pull", "push", "delete");

test("the order of the rules does not matter", () => {
  const shuffled = someRules.chain((list) =>
    fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
  );
  fc.assert(
    fc.property(shuffled, principal, repository, asked, ([list, other], who, name, what) => {
      expect(compilePolicy(other).decide(who, on(name, what)).allowed).toBe(
        compilePolicy(list).decide(who, on(name, what)).allowed,
      );
    }),
    { numRuns: 2000 },
  );
});

test("a further rule takes nothing away", () => {
  fc.assert(
    fc.property(someRules, rule, principal, repository, asked, (list, further, who, name, what) => {
      const before = compilePolicy(list).decide(who, on(name, what)).allowed;
      if (before) expect(compilePolicy([...list, further]).decide(who, on(name, what)).allowed).toBe(true);
    }),
    { numRuns: 2000 },
  );
});

test("an explanation agrees with the decision, rule by rule", () => {
  fc.assert(
    fc.property(someRules, principal, repository, asked, (list, who, name, what) => {
      const policy = compilePolicy(list);
      const verdicts = policy.explain(who, on(name, what));
      expect(verdicts.map(({ rule: index }) => index)).toEqual(list.map((_, index) => index));
      const decision = policy.decide(who, on(name, what));
      expect(verdicts.find(({ allows }) => allows)?.rule).toBe(decision.allowed ? decision.rule : undefined);
    }),
    { numRuns: 2000 },
  );
});

test("whose reach is everything is refused nothing, and whose reach is nothing is allowed nothing", () => {
  fc.assert(
    fc.property(someRules, principal, repository, asked, (list, who, name, what) => {
      const policy = compilePolicy(list);
      const { allowed } = policy.decide(who, on(name, what));
      const reach = policy.reach(who, what);
      if (reach === "everything") expect(allowed).toBe(true);
      if (reach === "nothing") expect(allowed).toBe(false);
    }),
    { numRuns: 2000 },
  );
});

describe("a route", () => {
  const policy = compilePolicy(rules);
  const judged = (who: Principal, method: string, target: string) => {
    const { route } = parseRoute(method, target);
    if (route === undefined) throw new Error(`not understood: ${target}`);
    return authorize(policy, who, route);
  };
  const sha256 = `sha256:${"0f".repeat(32)}`;

  test("that is a ping needs a caller who is known, and nothing else", () => {
    expect(judged("anonymous", "GET", "/v2/")).toMatchObject({ allowed: false });
    expect(judged(user("nobody"), "GET", "/v2/")).toMatchObject({ allowed: true });
  });

  test("with a mount from where the caller may not pull goes on without it", () => {
    const target = (from: string) => `/v2/alice/app/blobs/uploads/?mount=${sha256}&from=${from}`;
    expect(judged(user("alice"), "POST", target("team/app"))).toMatchObject({ route: { mount: { from: "team/app" } } });
    const without = judged(user("alice"), "POST", target("secret/app"));
    expect(without).toMatchObject({ allowed: true, route: { mount: undefined } });
  });

  test("that lists repositories shows what may be pulled", () => {
    expect(judged("anonymous", "GET", "/v2/_catalog")).toMatchObject({ allowed: true });
    const { visible } = { visible: undefined, ...judged(user("alice"), "GET", "/v2/_catalog") };
    if (typeof visible !== "function") throw new Error("not filtered");
    expect(["public/a", "team/a", "secret/a", "alice/a"].filter(visible)).toEqual(["public/a", "team/a", "alice/a"]);
    const all = compilePolicy([{ subjects: ["authenticated"], repositories: ["**"], actions: ["*"] }]);
    expect(
      authorize(all, user("alice"), { operation: "list-repositories", page: { n: 1, last: undefined } }),
    ).not.toHaveProperty("visible");
    const none = compilePolicy([]);
    const page = { operation: "list-repositories", page: { n: 1, last: undefined } } as const;
    expect(authorize(none, user("alice"), page)).toMatchObject({ allowed: true, visible: "nothing" });
    expect(authorize(none, "anonymous", page)).toMatchObject({ allowed: false });
  });

  test("that writes protected tags says which", () => {
    const pusher = user("alice", "pushers");
    expect(judged(pusher, "PUT", "/v2/team/app/manifests/v1")).toMatchObject({ onlyNew: ["v1"] });
    expect(judged(pusher, "PUT", `/v2/team/app/manifests/${sha256}?tag=latest&tag=v2`)).toMatchObject({
      onlyNew: ["v2"],
    });
    expect(judged(pusher, "PUT", "/v2/team/app/manifests/latest")).not.toHaveProperty("onlyNew");
    expect(judged(pusher, "PUT", `/v2/team/app/manifests/${sha256}`)).not.toHaveProperty("onlyNew");
  });
});

describe("faults in rules", () => {
  const upstream = { url: "http://registry:5000" };
  const faultsOf = (access: readonly AccessRule[]) =>
    validateOptions({ upstream, access }).faults.map(({ path }) => path.join("."));

  test("are named by their place, all of them", () => {
    expect(
      faultsOf([
        { subjects: ["everybody", "user:", "group:x"], repositories: ["a//b", "**"], actions: ["pull"] },
        { subjects: ["anonymous"], repositories: ["${user}/**"], actions: [], immutableTags: [""] },
      ]),
    ).toEqual(
      expect.arrayContaining([
        "access.0.subjects.0",
        "access.0.subjects.1",
        "access.0.repositories.0",
        "access.1.repositories.0",
      ]),
    );
  });

  test("are told from rules that can never match, which are warned of", () => {
    const { faults, warnings } = validateOptions({
      upstream,
      access: [
        { subjects: ["authenticated"], repositories: ["Team/**"], actions: ["pull"] },
        { subjects: ["anonymous"], repositories: ["${username}/**"], actions: ["pull"] },
        { subjects: ["authenticated"], repositories: ["!secret/**"], actions: ["pull"] },
      ],
    });
    expect(faults).toEqual([]);
    expect(new Set(warnings.map(({ path }) => path[1]))).toEqual(new Set([0, 1, 2]));
  });
});
