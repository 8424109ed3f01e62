import type { Identity, NameMatching } from "@registry-gate/auth";
import { comparableGroup, comparableGroups, comparableUser } from "./group-name.ts";

/** The users and groups that a rule names. */
export interface RuleSubjects {
  /** @param effect The effect of the rule. One that denies applies to ambiguous groups too. */
  include(identity: Identity, effect: "allow" | "deny"): boolean;
  /**
   * A subject of the rule that does not include the user, but would without regard to case, spaces and Unicode forms.
   */
  nearMiss(identity: Identity): string | undefined;
}

type Names = Readonly<Record<NameMatching, ReadonlySet<string>>>;

export function compileSubjects(subjects: readonly string[]): RuleSubjects {
  const named = (kind: string): readonly string[] =>
    subjects.filter((subject) => subject.startsWith(kind)).map((subject) => subject.slice(kind.length));
  const users = namesBy(named("user:"), comparableUser);
  const groups = namesBy(named("group:"), comparableGroup);

  return {
    include(identity, effect) {
      const { username } = identity;
      const nameMatching = identity.nameMatching === "folded" ? "folded" : "exact";
      // A rule that allows requires the exact name.
      const userMatching = effect === "deny" ? nameMatching : "exact";
      if (users.exact.size > 0 && users[userMatching].has(comparableUser(username, userMatching))) return true;
      if (groups.exact.size === 0) return false;
      // Unknown groups must not bypass a denial.
      if (effect === "deny" && identity.groupsIncomplete !== undefined) return true;
      const { certain, possible } = comparableGroups(identity);
      return (effect === "deny" ? possible : certain).some((group) => groups[nameMatching].has(group));
    },
    nearMiss(identity) {
      const folded = new Set([
        `user:${comparableUser(identity.username, "folded")}`,
        ...identity.groups.map((group) => `group:${comparableGroup(group, "folded")}`),
      ]);
      return subjects.find((subject) => {
        const [, kind, name] = /^(user|group):(.*)$/s.exec(subject) ?? [];
        if (kind === undefined || name === undefined) return false;
        return folded.has(`${kind}:${(kind === "user" ? comparableUser : comparableGroup)(name, "folded")}`);
      });
    },
  };
}

function namesBy(names: readonly string[], form: (name: string, matching: NameMatching) => string): Names {
  return {
    exact: new Set(names.map((name) => form(name, "exact"))),
    folded: new Set(names.map((name) => form(name, "folded"))),
  };
}
