import type { Access, Fault, Identity } from "@registry-gate/auth";
import { type AccessRule, compilePolicy, isRepository, type Policy, type Principal } from "@registry-gate/core";
import type { KnownNames } from "./known-names.ts";

/**
 * Finds rules that allow push without pull: docker, crane and skopeo check for existing content before they push, and fail
 * when that is denied.
 */
export function pushWithoutPull(rules: readonly AccessRule[], known: KnownNames): Fault[] {
  const policy = compilePolicy(rules);
  return rules.flatMap((rule, index) => {
    const { effect, actions } = rule;
    if (effect === "deny" || !actions.includes("push") || actions.includes("pull") || actions.includes("*")) return [];
    const subject = rule.subjects.find((candidate) =>
      principalsOf(candidate, rules, known).some((principal) => isStuck(policy, principal, rule.repositories)),
    );
    if (subject === undefined) return [];
    const why = "docker, crane and skopeo check for existing content before they push, and fail";
    return [
      { path: ["access", index, "actions"], message: `allows push without pull to ${subject}: ${why}; add pull` },
    ];
  });
}

/** A name that no rule can have meant. */
const somebody = "somebody-else";

/** Whom a subject stands for, as far as it is known. */
function principalsOf(subject: string, rules: readonly AccessRule[], known: KnownNames): readonly Principal[] {
  const signedIn = (identity: Identity): Principal => ({ kind: "user", identity, via: "basic" });
  const of = (username: string, groups: readonly string[]): Principal =>
    signedIn({ subject: username, username, groups, backend: "check" });
  if (subject === "anonymous") return [{ kind: "anonymous" }, of(somebody, [])];
  if (subject.startsWith("user:")) {
    const username = subject.slice("user:".length).normalize("NFC");
    const identity = known.identityOf(username);
    if (identity !== undefined) return [signedIn(identity)];
    // They may be in any group.
    return [of(username, known.complete ? [] : groupsIn(rules))];
  }
  if (!subject.startsWith("group:")) return [of(somebody, [])];
  const group = subject.slice("group:".length).normalize("NFC");
  if (!known.complete) return [of(somebody, [group])];
  const members = [...known.users].flatMap((user): Identity[] => {
    const identity = known.identityOf(user);
    return identity?.groups.includes(group) === true ? [identity] : [];
  });
  return members.length === 0 ? [of(somebody, [group])] : members.map(signedIn);
}

function groupsIn(rules: readonly AccessRule[]): readonly string[] {
  return rules.flatMap(({ subjects }) =>
    subjects.flatMap((subject) => (subject.startsWith("group:") ? [subject.slice("group:".length)] : [])),
  );
}

function isStuck(policy: Policy, principal: Principal, patterns: readonly string[]): boolean {
  const may = (action: "push" | "pull", name: string): boolean => {
    const access: Access = { type: "repository", name, action };
    return policy.decide(principal, access).allowed;
  };
  const username = principal.kind === "user" ? principal.identity.username : "";
  return patterns
    .flatMap((pattern) => samplesOf(pattern, username))
    .some((name) => may("push", name) && !may("pull", name));
}

/** Repositories that a pattern matches, with parts that no other pattern is likely to name. */
function samplesOf(pattern: string, username: string): readonly string[] {
  if (pattern.startsWith("!")) return [];
  const filled = pattern.replaceAll("${username}", () => username);
  return ["zq0", "zq1/zq2"]
    .map((parts) => filled.replaceAll("**", parts).replaceAll("*", "zq9"))
    .filter((name) => isRepository(name));
}
