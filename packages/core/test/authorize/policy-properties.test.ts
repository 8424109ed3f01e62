import type { Access, Action } from "@registry-gate/auth";
import fc from "fast-check";
import { expect, test } from "vitest";
import { compilePolicy } from "../../src/authorize/policy.ts";
import type { Principal } from "../../src/authorize/principal.ts";
import type { AccessRule } from "../../src/options.ts";
import { someAction, somebody, someRepository, someRule, someRules, someTag } from "./generated-rules.ts";
import { globOracle } from "./glob-oracle.ts";

const on = (name: string, action: Action): Access => ({ type: "repository", name, action });

/** What one rule means, as its documentation says it. */
function allows(rule: AccessRule, who: Principal, repository: string, action: Action): boolean {
  const username = who === "anonymous" ? undefined : who.identity.username;
  const subjects = new Set(["anonymous"]);
  if (who !== "anonymous") {
    for (const subject of ["authenticated", `user:${username}`]) subjects.add(subject);
    for (const group of who.identity.groups) subjects.add(`group:${group}`);
  }
  const covered = (negative: boolean) =>
    rule.repositories
      .filter((pattern) => pattern.startsWith("!") === negative)
      .some((pattern) => globOracle(pattern.replace(/^!/, ""), repository, username));
  return (
    rule.subjects.some((subject) => subjects.has(subject)) &&
    (rule.actions.includes(action) || rule.actions.includes("*")) &&
    covered(false) &&
    !covered(true)
  );
}

test("what one rule at least means to allow is allowed, and nothing else", () => {
  fc.assert(
    fc.property(someRules, somebody, someRepository, someAction, (list, who, name, what) => {
      const { allowed } = compilePolicy(list).decide(who, on(name, what));
      expect(allowed).toBe(list.some((rule) => allows(rule, who, name, what)));
    }),
    { numRuns: 10_000 },
  );
});

test("a tag may be overwritten where one rule that lets the push through does not protect it", () => {
  const protects = ({ immutableTags = [] }: AccessRule, tag: string): boolean =>
    immutableTags.some((pattern) => new RegExp(`^${pattern.replaceAll("*", ".*")}$`).test(tag));
  fc.assert(
    fc.property(someRules, somebody, someRepository, someTag, (list, who, name, tag) => {
      expect(compilePolicy(list).mayOverwrite(who, name, tag)).toBe(
        list.some((rule) => allows(rule, who, name, "push") && !protects(rule, tag)),
      );
    }),
    { numRuns: 10_000 },
  );
});

test("the order of the rules does not matter", () => {
  const shuffled = someRules.chain((list) =>
    fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
  );
  fc.assert(
    fc.property(shuffled, somebody, someRepository, someAction, ([list, other], who, name, what) => {
      expect(compilePolicy(other).decide(who, on(name, what)).allowed).toBe(
        compilePolicy(list).decide(who, on(name, what)).allowed,
      );
    }),
    { numRuns: 2000 },
  );
});

test("a further rule takes nothing away", () => {
  fc.assert(
    fc.property(someRules, someRule, somebody, someRepository, someAction, (list, further, who, name, what) => {
      const before = compilePolicy(list).decide(who, on(name, what)).allowed;
      if (before) expect(compilePolicy([...list, further]).decide(who, on(name, what)).allowed).toBe(true);
    }),
    { numRuns: 2000 },
  );
});

test("a rule that is written twice changes nothing", () => {
  fc.assert(
    fc.property(someRules, somebody, someRepository, someAction, (list, who, name, what) => {
      const once = compilePolicy(list).decide(who, on(name, what));
      expect(compilePolicy([...list, ...list]).decide(who, on(name, what))).toEqual(once);
    }),
    { numRuns: 1000 },
  );
});

test("an explanation agrees with the decision, rule by rule", () => {
  fc.assert(
    fc.property(someRules, somebody, someRepository, someAction, (list, who, name, what) => {
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
    fc.property(someRules, somebody, someRepository, someAction, (list, who, name, what) => {
      const policy = compilePolicy(list);
      const { allowed } = policy.decide(who, on(name, what));
      const reach = policy.reach(who, what);
      if (reach === "everything") expect(allowed).toBe(true);
      if (reach === "nothing") expect(allowed).toBe(false);
    }),
    { numRuns: 2000 },
  );
});
