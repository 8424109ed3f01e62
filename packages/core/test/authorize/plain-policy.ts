import type { Access, Action, Identity, Principal } from "@registry-gate/auth";
import { comparableGroup, comparableGroups, comparableUser } from "../../src/authorize/group-name.ts";
import type { AccessRule } from "../../src/options/options.ts";
import { globOracle } from "./glob-oracle.ts";

/** The rules read as they are written: each of them is looked at for each access. */
export function plainPolicy(rules: readonly AccessRule[]): {
  decide(principal: Principal, access: Access): { readonly allowed: boolean; readonly rule: number | undefined };
  immutableTags(principal: Principal, name: string, action: "push" | "delete"): readonly (readonly string[])[];
  reach(principal: Principal, action: Action): "everything" | "something" | "nothing";
} {
  const having = (effect: "allow" | "deny") =>
    rules.map((rule, index) => ({ rule, index })).filter(({ rule }) => (rule.effect ?? "allow") === effect);
  const denying = having("deny");
  const allowing = having("allow");
  return {
    decide(principal, access) {
      const denies = denying.find(({ rule }) => applies(rule, principal, access));
      if (denies !== undefined) return { allowed: false, rule: denies.index };
      const allows = allowing.find(({ rule }) => applies(rule, principal, access));
      return { allowed: allows !== undefined, rule: allows?.index };
    },
    immutableTags(principal, name, action) {
      const access: Access = { type: "repository", name, action };
      const limits = allowing.filter(({ rule }) => applies(rule, principal, access));
      return limits.map(({ rule }) => rule.immutableTags ?? []);
    },
    reach(principal, action) {
      const concerning = (judged: typeof denying): readonly AccessRule[] =>
        judged.map(({ rule }) => rule).filter((rule) => covers(rule, action) && includes(rule, principal));
      const denied = concerning(denying);
      const allowed = concerning(allowing);
      if (denied.some(isAboutEverything) || !allowed.some(isAboutSomething)) return "nothing";
      return allowed.some(isAboutEverything) && !denied.some(isAboutSomething) ? "everything" : "something";
    },
  };
}

function applies(rule: AccessRule, principal: Principal, { type, name, action }: Access): boolean {
  if (type !== "repository" || !covers(rule, action) || !includes(rule, principal)) return false;
  const username = principal.kind === "user" ? principal.identity.username : undefined;
  const matches = (negative: boolean): boolean =>
    rule.repositories
      .filter((pattern) => pattern.startsWith("!") === negative)
      .some((pattern) => globOracle(pattern.replace(/^!/, ""), name, username));
  return matches(false) && !matches(true);
}

function covers({ effect, actions }: AccessRule, action: Action): boolean {
  return actions.includes("*") || actions.includes(action) || (effect === "deny" && action === "*");
}

function includes(rule: AccessRule, principal: Principal): boolean {
  if (rule.subjects.includes("anonymous")) return true;
  if (principal.kind !== "user") return false;
  return rule.subjects.includes("authenticated") || names(rule, principal.identity);
}

function names({ subjects, effect }: AccessRule, identity: Identity): boolean {
  const denies = effect === "deny";
  const matching = identity.nameMatching === "folded" ? "folded" : "exact";
  const { certain, possible } = comparableGroups(identity);
  return subjects.some((subject) => {
    const name = subject.slice(subject.indexOf(":") + 1);
    if (subject.startsWith("user:")) {
      const form = denies ? matching : "exact";
      return comparableUser(name, form) === comparableUser(identity.username, form);
    }
    if (!subject.startsWith("group:")) return false;
    if (denies && identity.groupsIncomplete !== undefined) return true;
    return (denies ? possible : certain).includes(comparableGroup(name, matching));
  });
}

function isAboutEverything({ repositories }: AccessRule): boolean {
  return repositories.includes("**") && !repositories.some((pattern) => pattern.startsWith("!"));
}

function isAboutSomething({ repositories }: AccessRule): boolean {
  return repositories.some((pattern) => !pattern.startsWith("!"));
}
