import type { Action } from "@registry-gate/auth";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compilePolicy } from "../../src/authorize/policy.ts";
import { validateAccess, warnOfAccess } from "../../src/authorize/validate-access.ts";
import type { AccessRule } from "../../src/options.ts";
import { someAction, somebody, someRepository, someRules } from "./generated-rules.ts";

const sound: AccessRule = { subjects: ["authenticated"], repositories: ["**"], actions: ["pull"] };
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

  test("is an action that there is not, whoever wrote it", () => {
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
    ["nothing to take away from", { repositories: ["!secret/**"] }, ["0.repositories"], /only takes away/],
    [
      "what is taken away again",
      { repositories: ["a/**", "b", "!a/**"] },
      ["0.repositories.0"],
      /!a\/\*\* takes it away/,
    ],
    ["everything taken away", { repositories: ["a", "!**"] }, ["0.repositories.0"], /!\*\* takes it away/],
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
    ["tags of a rule that allows all actions", { actions: ["*"], immutableTags: ["v*"] }],
  ])("is not given of %s", (_, rule) => {
    expect(warnOfAccess([{ ...sound, ...rule }])).toEqual([]);
  });

  test("that something can never match is true of it", () => {
    fc.assert(
      fc.property(someRules, somebody, someRepository, someAction, (list, who, name, what) => {
        for (const { path, message } of warnOfAccess(list)) {
          const [index, , position] = path;
          const rule = typeof index === "number" ? list[index] : undefined;
          const whom = message.startsWith("can never match an anonymous caller") ? "anonymous" : who;
          if (rule === undefined || !message.startsWith("can never match")) continue;
          // Alone with what takes away, the pattern that was warned of lets nothing through.
          const repositories = rule.repositories.filter((text, at) => at === position || text.startsWith("!"));
          const access = { type: "repository", name, action: what } as const;
          expect(compilePolicy([{ ...rule, repositories }]).decide(whom, access).allowed).toBe(false);
        }
      }),
      { numRuns: 5000 },
    );
  });
});
