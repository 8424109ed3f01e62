import type { Access, Action, Identity, Principal } from "@registry-gate/auth";
import { atOnce } from "@registry-gate/auth-kit";
import fc from "fast-check";
import { expect, test } from "vitest";
import { compilePolicy } from "../../src/authorize/compile-policy.ts";
import { compileRules } from "../../src/authorize/policy.ts";
import { anonymous } from "../../src/authorize/principal.ts";
import type { AccessRule } from "../../src/options/options.ts";
import { plainPolicy } from "./plain-policy.ts";

const segment = fc.constantFrom("a", "b", "ab", "abc", "team-1", "team-2", "alice", "app");
const patternSegment = fc.oneof(
  { weight: 5, arbitrary: segment },
  { weight: 3, arbitrary: fc.constantFrom("*", "**", "${username}") },
  { weight: 2, arbitrary: fc.constantFrom("a*", "team-*", "*b", "t*-1", "x-${username}", "ab*") },
);
const pattern = fc
  .tuple(fc.constantFrom("", "", "", "!"), fc.array(patternSegment, { minLength: 1, maxLength: 3 }))
  .map(([negation, segments]) => `${negation}${segments.join("/")}`);
const repository = fc.array(segment, { minLength: 1, maxLength: 3 }).map((segments) => segments.join("/"));

const groups = ["dev", "Dev", "ops", "CN=Ops,DC=example,DC=org", "cn=ops, dc=example, dc=org", "größe", "g1", "g2"];
const users = ["alice", "Alice", "bob", "zoë", "zoe\u0308"];
const subject = fc.oneof(
  fc.constantFrom("anonymous", "authenticated"),
  fc.constantFrom(...users).map((name) => `user:${name}`),
  fc.constantFrom(...groups).map((name) => `group:${name}`),
);
const lists = {
  subjects: fc.array(subject, { maxLength: 4 }),
  // Some beyond what is indexed pattern by pattern.
  repositories: fc.oneof(
    { weight: 9, arbitrary: fc.array(pattern, { maxLength: 4 }) },
    { weight: 1, arbitrary: fc.array(pattern, { minLength: 30, maxLength: 40 }) },
  ),
  actions: fc.array(fc.constantFrom<Action>("pull", "push", "delete", "*"), { maxLength: 2 }),
};
const rule: fc.Arbitrary<AccessRule> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ ...lists, immutableTags: fc.subarray(["v*", "latest", "*"]) }) },
  { weight: 1, arbitrary: fc.record({ ...lists, effect: fc.constant("deny") }) },
);
/** Few, and so many that they are indexed. */
const rules = fc.oneof(fc.array(rule, { maxLength: 8 }), fc.array(rule, { minLength: 20, maxLength: 80 }));

const manyGroups = Array.from({ length: 60 }, (_, index) => `many-${index}`);
const identity: fc.Arbitrary<Identity> = fc
  .record(
    {
      username: fc.constantFrom(...users),
      groups: fc.oneof(fc.subarray(groups), fc.constant([...manyGroups, "dev"])),
      ambiguousGroups: fc.subarray(groups),
      groupsIncomplete: fc.constant("too many"),
      nameMatching: fc.constantFrom("exact" as const, "folded" as const),
    },
    { requiredKeys: ["username", "groups"] },
  )
  .map((some) => ({ subject: some.username, backend: "test", ...some }));
const principal: fc.Arbitrary<Principal> = fc.oneof(
  { weight: 1, arbitrary: fc.constant(anonymous) },
  { weight: 5, arbitrary: identity.map((identity) => ({ kind: "user" as const, identity, via: "basic" as const })) },
);
/** With rules for each of the many groups. */
const rulesOfMany = fc.tuple(rules, fc.shuffledSubarray(manyGroups), pattern).map(([list, named, written]) => [
  ...list,
  ...named.map(
    (group, index): AccessRule => ({
      subjects: [`group:${group}`],
      repositories: [index % 7 === 0 ? written : `team-${index}/**`],
      actions: ["pull"],
      ...(index % 5 === 0 && { effect: "deny" }),
    }),
  ),
]);
const someRules = fc.oneof({ weight: 3, arbitrary: rules }, { weight: 1, arbitrary: rulesOfMany });
const action = fc.constantFrom<Action>("pull", "push", "delete", "*");

const on = (name: string, action: Action): Access => ({ type: "repository", name, action });

test("the compiled rules decide as the rules do, one by one, and name the same one", () => {
  fc.assert(
    fc.property(someRules, principal, fc.array(repository, { minLength: 1, maxLength: 4 }), (list, who, names) => {
      const plain = plainPolicy(list);
      const compiled = compilePolicy(list);
      for (const name of names) {
        for (const what of ["pull", "push", "delete", "*"] as const) {
          expect(compiled.decide(who, on(name, what))).toEqual(plain.decide(who, on(name, what)));
        }
      }
    }),
    { numRuns: 600 },
  );
});

test("they protect the same tags", () => {
  fc.assert(
    fc.property(someRules, principal, repository, fc.constantFrom("push" as const, "delete" as const), (...args) => {
      const [list, who, name, what] = args;
      const limits = plainPolicy(list).immutableTags(who, name, what);
      const isImmutable = compilePolicy(list).immutableTags(who, name, what);
      expect(isImmutable !== undefined).toBe(limits.length > 0 && limits.every((patterns) => patterns.length > 0));
      for (const tag of ["v1", "latest", "x"]) {
        const kept = limits.every((patterns) =>
          patterns.some((pattern) => pattern === "*" || pattern === tag || (pattern === "v*" && tag.startsWith("v"))),
        );
        expect(isImmutable?.(tag) ?? false).toBe(isImmutable !== undefined && kept);
      }
    }),
    { numRuns: 500 },
  );
});

test("they reach as much", () => {
  fc.assert(
    fc.property(someRules, principal, action, (list, who, what) => {
      expect(compilePolicy(list).reach(who, what)).toBe(plainPolicy(list).reach(who, what));
    }),
    { numRuns: 500 },
  );
});

test("an access that is about no repository is never allowed by a rule", () => {
  const policy = compilePolicy([{ subjects: ["anonymous"], repositories: ["**"], actions: ["*"] }]);
  expect(policy.decide(anonymous, { type: "registry", name: "catalog", action: "*" }).allowed).toBe(false);
});

test("what was found out about one identity says nothing about another", () => {
  const policy = atOnce(
    compileRules([
      ...manyGroups.map(
        (group): AccessRule => ({ subjects: [`group:${group}`], repositories: ["a"], actions: ["pull"] }),
      ),
      { subjects: ["group:many-1"], repositories: ["b"], actions: ["pull"] },
    ]),
  );
  const who = (groups: readonly string[]): Principal => ({
    kind: "user",
    identity: { subject: "alice", username: "alice", groups, backend: "test" },
    via: "basic",
  });
  expect(policy.decide(who(manyGroups), on("b", "pull"))).toEqual({ allowed: true, rule: manyGroups.length });
  expect(policy.decide(who(manyGroups.slice(2)), on("b", "pull"))).toEqual({ allowed: false, rule: undefined });
  expect(policy.decide(who([]), on("a", "pull"))).toEqual({ allowed: false, rule: undefined });
});
