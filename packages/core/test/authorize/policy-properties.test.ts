import type { Access, Action, Principal } from "@registry-gate/auth";
import fc from "fast-check";
import { expect, test } from "vitest";
import { compilePolicy } from "../../src/authorize/compile-policy.ts";
import type { AccessRule } from "../../src/options/options.ts";
import {
  someAction,
  someAllowRule,
  somebody,
  someDenyRule,
  someRepository,
  someRules,
  someTag,
} from "./generated-rules.ts";
import { globOracle } from "./glob-oracle.ts";

const on = (name: string, action: Action): Access => ({ type: "repository", name, action });

/** Whether one rule has its effect, as its documentation says it. */
function concerns(rule: AccessRule, who: Principal, repository: string, action: Action): boolean {
  const username = who.kind === "user" ? who.identity.username : undefined;
  const subjects = new Set(["anonymous"]);
  if (who.kind === "user") {
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

const isAllowing = ({ effect }: AccessRule): boolean => effect !== "deny";
const isDenying = ({ effect }: AccessRule): boolean => effect === "deny";

test("an access is allowed if and only if a rule allows it and none denies it", () => {
  fc.assert(
    fc.property(someRules, somebody, someRepository, someAction, (list, who, name, what) => {
      const concerned = (rule: AccessRule): boolean => concerns(rule, who, name, what);
      const denying = list.findIndex((rule) => isDenying(rule) && concerned(rule));
      const allowing = list.findIndex((rule) => isAllowing(rule) && concerned(rule));
      const deciding = denying === -1 ? allowing : denying;
      expect(compilePolicy(list).decide(who, on(name, what))).toEqual({
        allowed: denying === -1 && allowing !== -1,
        rule: deciding === -1 ? undefined : deciding,
      });
    }),
    { numRuns: 10_000 },
  );
});

test("a principal with the action * has each action", () => {
  fc.assert(
    fc.property(someRules, somebody, someRepository, someAction, (list, who, name, what) => {
      const policy = compilePolicy(list);
      if (policy.decide(who, on(name, "*")).allowed) expect(policy.decide(who, on(name, what)).allowed).toBe(true);
    }),
    { numRuns: 5000 },
  );
});

test("a tag is immutable where every rule that allows the action protects it", () => {
  const protects = ({ immutableTags = [] }: AccessRule, tag: string): boolean =>
    immutableTags.some((pattern) => new RegExp(`^${pattern.replaceAll("*", ".*")}$`).test(tag));
  fc.assert(
    fc.property(
      ...([someRules, somebody, someRepository, fc.constantFrom("push" as const, "delete" as const), someTag] as const),
      (list, who, name, what, tag) => {
        const allowing = list.filter((rule) => isAllowing(rule) && concerns(rule, who, name, what));
        const stays = compilePolicy(list).immutableTags(who, name, what)?.(tag) ?? false;
        expect(stays).toBe(allowing.length > 0 && allowing.every((rule) => protects(rule, tag)));
      },
    ),
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

test("a further rule that denies allows nothing more, and no further tag to be changed", () => {
  fc.assert(
    fc.property(
      ...([someRules, someDenyRule, fc.nat(), somebody, someRepository, someAction, someTag] as const),
      (list, further, at, who, name, what, tag) => {
        const before = compilePolicy(list);
        const after = compilePolicy(list.toSpliced(at % (list.length + 1), 0, further));
        if (!before.decide(who, on(name, what)).allowed) {
          expect(after.decide(who, on(name, what)).allowed).toBe(false);
        }
        for (const action of ["push", "delete"] as const) {
          const stayed = before.immutableTags(who, name, action)?.(tag) ?? false;
          expect(after.immutableTags(who, name, action)?.(tag) ?? false).toBe(stayed);
        }
      },
    ),
    { numRuns: 5000 },
  );
});

test("a further rule that allows removes no permission", () => {
  fc.assert(
    fc.property(someRules, someAllowRule, somebody, someRepository, someAction, (list, further, who, name, what) => {
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
      const deciding = verdicts.find(({ denies }) => denies) ?? verdicts.find(({ allows }) => allows);
      expect(policy.decide(who, on(name, what))).toEqual({ allowed: deciding?.allows ?? false, rule: deciding?.rule });
    }),
    { numRuns: 2000 },
  );
});

test("reach everything means that nothing is refused, reach nothing that nothing is allowed", () => {
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
