import type { AccessRule } from "@registry-gate/core";
import { expect, test } from "vitest";
import { candidateRepositories } from "../src/doctor/repositories.ts";

const rule = (repositories: string[], actions: AccessRule["actions"] = ["push"]): AccessRule => ({
  subjects: ["authenticated"],
  repositories,
  actions,
});

test.each<[pattern: string, repository: string]>([
  ["**", "registry-gate-doctor"],
  ["team/**", "team/registry-gate-doctor"],
  ["team/*", "team/registry-gate-doctor"],
  ["team/app-*", "team/app-registry-gate-doctor"],
  ["*/app", "registry-gate-doctor/app"],
  ["team/**/app", "team/registry-gate-doctor/app"],
  ["${username}/**", "alice/registry-gate-doctor"],
])("makes a repository that %s matches", (pattern, repository) => {
  expect(candidateRepositories("alice", [rule([pattern])])[0]).toBe(repository);
});

test("prefers patterns to the name of a repository that somebody may use", () => {
  expect(candidateRepositories("alice", [rule(["team/app"]), rule(["trial/*"])]).slice(0, 2)).toEqual([
    "trial/registry-gate-doctor",
    "team/app",
  ]);
});

test("takes nothing from rules that only pull, that deny or that exclude", () => {
  const rules: AccessRule[] = [
    rule(["public/**"], ["pull"]),
    { ...rule(["secret/**"]), effect: "deny" },
    rule(["!no/**"]),
  ];
  expect(candidateRepositories("alice", rules)).toEqual(candidateRepositories("alice", undefined));
});

test("guesses without rules, and makes no invalid name of a user's", () => {
  expect(candidateRepositories("Alice", undefined)).toContain("alice/registry-gate-doctor");
  for (const name of candidateRepositories("alice@example.com", undefined)) expect(name).not.toContain("@");
});
