import { type Action, formatFault } from "@registry-gate/auth";
import { optionFaults } from "@registry-gate/auth-kit";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { accessSchema } from "../../src/authorize/access-schema.ts";
import { compilePolicy } from "../../src/authorize/compile-policy.ts";
import { anonymous } from "../../src/authorize/principal.ts";
import { warnOfAccess } from "../../src/authorize/warn-of-access.ts";
import type { AccessRule } from "../../src/options/options.ts";
import { someAction, somebody, someRepository, someRules } from "./generated-rules.ts";

const sound: AccessRule = { subjects: ["authenticated"], repositories: ["**"], actions: ["pull"] };
const validateAccess = (rules: unknown) => [...optionFaults(accessSchema, rules)];
const places = (faults: readonly { readonly path: readonly (string | number)[] }[]): string[] =>
  faults.map(({ path }) => path.join("."));

describe("a fault", () => {
  test.each<[what: string, rule: Partial<AccessRule>, places: string[]]>([
    ["no subject", { subjects: [] }, ["0.subjects"]],
    ["no repository", { repositories: [] }, ["0.repositories"]],
    ["no action", { actions: [] }, ["0.actions"]],
    ["a subject of no kind", { subjects: ["alice"] }, ["0.subjects.0"]],
    ["a user without a name", { subjects: ["authenticated", "user:"] }, ["0.subjects.1"]],
    ["a group without a name", { subjects: ["group:"] }, ["0.subjects.0"]],
    ["a subject in capitals", { subjects: ["Anonymous"] }, ["0.subjects.0"]],
    ["a subject of two lines", { subjects: ["user:a\nb"] }, ["0.subjects.0"]],
    ["a subject of two lines, one of them good", { subjects: ["anonymous\n"] }, ["0.subjects.0"]],
    ["an empty pattern", { repositories: [""] }, ["0.repositories.0"]],
    ["a pattern that is only its mark", { repositories: ["**", "!"] }, ["0.repositories.1"]],
    ["an empty segment", { repositories: ["a//b", "/a", "a/"] }, ["0", "1", "2"].map((at) => `0.repositories.${at}`)],
    ["two stars in a segment", { repositories: ["a**"] }, ["0.repositories.0"]],
    ["a placeholder that is none", { repositories: ["${group}/**"] }, ["0.repositories.0"]],
    [
      "an immutable tag that can be none",
      { immutableTags: ["v*", "", "-x", "a b", "a/b"] },
      [1, 2, 3, 4].map((at) => `0.immutableTags.${at}`),
    ],
  ])("is %s", (_, rule, expected) => {
    expect(places(validateAccess([{ ...sound, ...rule }]))).toEqual(expected);
  });

  test("is immutableTags in a rule that denies, reported with other faults", () => {
    const denial = { ...sound, effect: "deny", immutableTags: ["v*"] };
    expect(places(validateAccess([denial]))).toEqual(["0.immutableTags"]);
    expect(places(validateAccess([{ ...denial, actions: [] }])).sort()).toEqual(["0.actions", "0.immutableTags"]);
    expect(places(validateAccess([{ ...sound, effect: "allow", immutableTags: ["v*"] }]))).toEqual([]);
  });

  test("is an unknown action", () => {
    const actions: Action[] = JSON.parse('["pull", "read", "PULL"]');
    expect(places(validateAccess([{ ...sound, actions }]))).toEqual(["0.actions.1", "0.actions.2"]);
  });

  test("is named together with every other, in one line each", () => {
    const faults = validateAccess([
      { subjects: ["x"], repositories: ["a//b"], actions: [] },
      sound,
      { ...sound, repositories: ["$"], immutableTags: ["."] },
    ]);
    expect(places(faults).sort()).toEqual([
      "0.actions",
      "0.repositories.0",
      "0.subjects.0",
      "2.immutableTags.0",
      "2.repositories.0",
    ]);
    for (const { message } of faults) expect(message).toMatch(/^.+$/);
  });

  test.each<[what: string, rule: Partial<AccessRule>]>([
    [
      "every kind of subject",
      { subjects: ["anonymous", "authenticated", "user:a b@c", "group:CN=x, DC=y", "user:a:b"] },
    ],
    [
      "patterns of every kind",
      { repositories: ["a", "*", "**", "a-*/**/b", "${username}/**", "x-${username}", "!a/*"] },
    ],
    ["tags of every kind", { actions: ["push"], immutableTags: ["v*", "*", "*-final", "1.0", "_"] }],
    ["a rule that denies", { effect: "deny" }],
    ["every action", { actions: ["pull", "push", "delete", "*"] }],
  ])("is not %s", (_, rule) => {
    expect(validateAccess([{ ...sound, ...rule }])).toEqual([]);
  });
});

describe("a warning", () => {
  test.each<[what: string, rule: Partial<AccessRule>, places: string[], message: RegExp]>([
    ["capitals in a name", { repositories: ["Team/**"] }, ["0.repositories.0"], /never match: Team/],
    ["a name that ends in a dot", { repositories: ["**", "!a./b"] }, ["0.repositories.1"], /never match: a\. /],
    [
      "a user's own name, of nobody",
      { subjects: ["anonymous"], repositories: ["${username}/**"] },
      ["0.repositories.0"],
      /anonymous/,
    ],
    ["nothing to take away from", { repositories: ["!secret/**"] }, ["0.repositories"], /only excludes/],
    [
      "what is taken away again",
      { repositories: ["a/**", "b", "!a/**"] },
      ["0.repositories.0"],
      /!a\/\*\* excludes it/,
    ],
    ["everything taken away", { repositories: ["a", "!**"] }, ["0.repositories.0"], /!\*\* excludes it/],
    ["tags of a rule that lets nobody push", { immutableTags: ["v*"] }, ["0.immutableTags"], /no effect/],
  ])("is given of %s", (_, rule, expected, message) => {
    const warnings = warnOfAccess([{ ...sound, ...rule }]);
    expect(places(warnings)).toEqual(expected);
    expect(warnings[0]?.message).toMatch(message);
  });

  test.each<[what: string, rule: Partial<AccessRule>]>([
    ["a rule for everything", {}],
    [
      "a user's own name where somebody may be signed in",
      { subjects: ["anonymous", "user:a"], repositories: ["${username}"] },
    ],
    ["a part taken away", { repositories: ["**", "!secret/**"] }],
    ["tags of a rule that lets push, among others", { actions: ["pull", "push"], immutableTags: ["v*"] }],
    ["tags of a rule that lets delete", { actions: ["delete"], immutableTags: ["v*"] }],
    ["tags of a rule that allows all actions", { actions: ["*"], immutableTags: ["v*"] }],
  ])("is not given of %s", (_, rule) => {
    expect(warnOfAccess([{ ...sound, ...rule }])).toEqual([]);
  });

  const denying = (rule: Partial<AccessRule>): AccessRule => ({ ...sound, effect: "deny", ...rule });
  const everything: AccessRule = { ...sound, actions: ["*"] };
  const protecting: AccessRule = {
    subjects: ["group:dev"],
    repositories: ["team/**"],
    actions: ["push"],
    immutableTags: ["v*"],
  };
  test.each<[what: string, rules: AccessRule[], expected: string[]]>([
    [
      "a denial of what nobody is allowed",
      [sound, denying({ actions: ["push", "delete"] })],
      ["access[1].actions: has no effect: no rule allows push or delete"],
    ],
    ["denials alone", [denying({})], ["access[0].actions: has no effect: no rule allows pull"]],
    [
      "a denial of everything to everybody, and what it makes of the rest",
      [denying({ subjects: ["anonymous"], actions: ["pull", "push", "delete"] }), everything],
      ["access[0]: denies everybody everything", "access[1]: allows nothing: access[0] denies it to everybody"],
    ],
    [
      "a denial by anonymous that meets those who are signed in",
      [everything, denying({ subjects: ["anonymous"], repositories: ["prod/**"], actions: ["delete"] })],
      [
        "access[1].subjects: denies it to signed-in users too: anonymous is anybody; " +
          "write [anonymous, authenticated] where that is meant",
      ],
    ],
    [
      "a denial that can never match",
      [everything, denying({ repositories: ["!a"] })],
      ["access[1].repositories: can never match: it only excludes; add a pattern to exclude from, such as **"],
    ],
    [
      "protected tags that the same group may delete",
      [protecting, { subjects: ["authenticated"], repositories: ["**"], actions: ["delete"] }],
      [
        "access[1].actions: allows delete without the immutableTags of access[0]: those tags can be deleted, and pushed anew",
      ],
    ],
    [
      "protected tags that the same group may overwrite",
      [protecting, { ...protecting, immutableTags: [] }],
      ["access[1].actions: allows push without the immutableTags of access[0]: those tags can be overwritten"],
    ],
  ])("is given of %s", (_, rules, expected) => {
    const told = warnOfAccess(rules).map(({ path, message }) => formatFault({ path: ["access", ...path], message }));
    expect(told).toEqual(expected);
  });

  test.each<[what: string, rules: AccessRule[]]>([
    ["a denial to one user", [everything, denying({ subjects: ["user:mallory"], actions: ["*"] })]],
    [
      "a denial that says that it is for everybody",
      [
        everything,
        denying({ subjects: ["anonymous", "authenticated"], repositories: ["prod/**"], actions: ["delete"] }),
      ],
    ],
    [
      "protected tags that others may delete",
      [protecting, { subjects: ["user:admin"], repositories: ["**"], actions: ["*"] }],
    ],
    [
      "protected tags that are protected from deletion too",
      [protecting, { ...protecting, actions: ["delete"], immutableTags: ["*"] }],
    ],
    [
      "protected tags, and deletes elsewhere",
      [protecting, { ...protecting, repositories: ["lab/**"], actions: ["*"] }],
    ],
  ])("is not given of %s", (_, rules) => {
    expect(warnOfAccess(rules)).toEqual([]);
  });

  test("that a pattern can never match is true", () => {
    fc.assert(
      fc.property(someRules, somebody, someRepository, someAction, (list, who, name, what) => {
        for (const { path, message } of warnOfAccess(list)) {
          const [index, , position] = path;
          const rule = typeof index === "number" ? list[index] : undefined;
          const whom = message.startsWith("can never match an anonymous caller") ? anonymous : who;
          if (rule === undefined || !message.startsWith("can never match")) continue;
          // Alone with what takes away, the pattern that was warned of lets nothing through.
          const repositories = rule.repositories.filter((text, at) => at === position || text.startsWith("!"));
          const access = { type: "repository", name, action: what } as const;
          const [verdict] = compilePolicy([{ ...rule, repositories }]).explain(whom, access);
          expect([verdict?.allows, verdict?.denies]).toEqual([false, false]);
        }
      }),
      { numRuns: 5000 },
    );
  });
});
