import type { Access, Fault, Identity } from "@registry-gate/auth";
import type { Steps } from "@registry-gate/auth-kit";
import { type AccessRule, compilePolicy, isRepository, type Policy, type Principal } from "@registry-gate/core";
import type { KnownNames } from "./known-names.ts";

/**
 * Finds rules that allow push without pull: docker, crane and skopeo check for existing content before they push, and fail
 * when that is denied.
 */
export function* pushWithoutPull(rules: readonly AccessRule[], known: KnownNames): Steps<Fault[]> {
  const policy = compilePolicy(rules);
  const warnings: Fault[] = [];
  let listed: ListedNames | undefined;
  for (const [index, { effect, actions, subjects, repositories }] of rules.entries()) {
    yield;
    if (effect === "deny" || !actions.includes("push") || actions.includes("pull") || actions.includes("*")) continue;
    listed ??= yield* listNames(rules, known);
    for (const subject of subjects) {
      yield;
      const stuck = principalsOf(subject, listed, known).some((principal) => isStuck(policy, principal, repositories));
      if (!stuck) continue;
      const why = "docker, crane and skopeo check for existing content before they push, and fail";
      warnings.push({
        path: ["access", index, "actions"],
        message: `allows push without pull to ${subject}: ${why}; add pull`,
      });
      break;
    }
  }
  return warnings;
}

/** What many rules ask for, found out once. */
interface ListedNames {
  /** The groups that the rules name. */
  readonly inRules: readonly string[];
  readonly membersOf: ReadonlyMap<string, readonly Identity[]>;
}

function* listNames(rules: readonly AccessRule[], known: KnownNames): Steps<ListedNames> {
  const membersOf = new Map<string, Identity[]>();
  for (const user of known.complete ? known.users : []) {
    yield;
    const identity = known.identityOf(user);
    if (identity === undefined) continue;
    for (const group of identity.groups) {
      const members = membersOf.get(group);
      if (members === undefined) membersOf.set(group, [identity]);
      else members.push(identity);
    }
  }
  return { inRules: groupsIn(rules), membersOf };
}

/** A name that no rule can have meant. */
const somebody = "somebody-else";

/** Whom a subject stands for, as far as it is known. */
function principalsOf(subject: string, { inRules, membersOf }: ListedNames, known: KnownNames): readonly Principal[] {
  const signedIn = (identity: Identity): Principal => ({ kind: "user", identity, via: "basic" });
  const of = (username: string, groups: readonly string[]): Principal =>
    signedIn({ subject: username, username, groups, backend: "check" });
  if (subject === "anonymous") return [{ kind: "anonymous" }, of(somebody, [])];
  if (subject.startsWith("user:")) {
    const username = subject.slice("user:".length).normalize("NFC");
    const identity = known.identityOf(username);
    if (identity !== undefined) return [signedIn(identity)];
    // They may be in any group.
    return [of(username, known.complete ? [] : inRules)];
  }
  if (!subject.startsWith("group:")) return [of(somebody, [])];
  const group = subject.slice("group:".length).normalize("NFC");
  if (!known.complete) return [of(somebody, [group])];
  const members = membersOf.get(group) ?? [];
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
