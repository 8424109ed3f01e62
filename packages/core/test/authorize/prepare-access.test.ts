import { InvalidOptionsError } from "@registry-gate/auth";
import { expect, test } from "vitest";
import { compilePolicy } from "../../src/authorize/checked-policy.ts";
import { prepareAccess } from "../../src/authorize/prepare-access.ts";
import { anonymous } from "../../src/authorize/principal.ts";
import type { AccessRule } from "../../src/options/options.ts";
import { validateOptions } from "../../src/options/validate-options.ts";

const rules = (): AccessRule[] => [
  { subjects: ["anonymous"], repositories: ["public/**"], actions: ["pull"] },
  { effect: "deny", subjects: ["authenticated"], repositories: ["**"], actions: ["delete"] },
];
const upstream = { url: "http://127.0.0.1:5000" };
const pull = { type: "repository", name: "public/app", action: "pull" } as const;

test("prepared rules are equal, decide as others do, and are neither checked nor compiled again", async () => {
  const access = await prepareAccess(rules());
  expect(access).toEqual(rules());
  expect(await prepareAccess(access)).toBe(access);
  const policy = compilePolicy(access);
  expect(compilePolicy(access)).toBe(policy);
  expect(policy.decide(anonymous, pull)).toEqual(compilePolicy(rules()).decide(anonymous, pull));
  expect(validateOptions({ upstream, access })).toEqual(validateOptions({ upstream, access: rules() }));
});

test("they can no longer be changed, and changes of what they were made of have no effect", async () => {
  const written = rules();
  const access = await prepareAccess(written);
  written.splice(0);
  expect(compilePolicy(access).decide(anonymous, pull).allowed).toBe(true);
  for (const part of [access, ...access.flatMap((rule) => [rule, rule.subjects, rule.repositories, rule.actions])]) {
    expect(Object.isFrozen(part)).toBe(true);
  }
});

test("a copy of prepared rules is checked as any other", async () => {
  const copy = [...(await prepareAccess(rules())), { subjects: [], repositories: ["**"], actions: ["pull"] } as const];
  expect(validateOptions({ upstream, access: copy }).faults).toEqual([
    { path: ["access", 2, "subjects"], message: "must not be empty" },
  ]);
});

test.each([
  ["a rule with faults", [...rules(), { subjects: ["nobody"], repositories: [], actions: ["pull"], effects: "deny" }]],
  ["one rule instead of a list", rules()[0]],
  ["text", "anonymous"],
])("%s is refused with the faults that the option has", async (_, wrong) => {
  // @ts-expect-error
  const access: AccessRule[] = wrong;
  const refused: unknown = await prepareAccess(access).catch((error: unknown) => error);
  if (!(refused instanceof InvalidOptionsError)) throw new Error("it was not refused");
  const { faults } = validateOptions({ upstream, access });
  expect(faults.length).toBeGreaterThan(0);
  expect(refused.faults.map(({ path, message }) => ({ path: ["access", ...path], message }))).toEqual(faults);
});
