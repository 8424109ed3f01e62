import type { Fault } from "@registry-gate/auth";
import type { AccessRule } from "../options.ts";
import { isTag } from "../route/names.ts";
import { compileGlob, globFault, impossibleSegment } from "./glob.ts";

const actions: readonly string[] = ["pull", "push", "delete", "*"];

/** Every fault in the rules; paths start at the list of rules. */
export function validateAccess(rules: readonly AccessRule[]): Fault[] {
  const faults: Fault[] = [];
  for (const [index, rule] of rules.entries()) {
    const at = (key: keyof AccessRule, position: number | undefined, message: string): void => {
      faults.push({ path: position === undefined ? [index, key] : [index, key, position], message });
    };
    for (const key of ["subjects", "repositories", "actions"] as const) {
      if (rule[key].length === 0) at(key, undefined, "must not be empty");
    }
    for (const [position, subject] of rule.subjects.entries()) {
      if (!/^(?:anonymous|authenticated|(?:user|group):[^\u0000-\u001f\u007f]+)$/.test(subject)) {
        at("subjects", position, "must be anonymous, authenticated, user:NAME or group:NAME");
      }
    }
    for (const [position, pattern] of rule.repositories.entries()) {
      const fault = globFault(pattern);
      if (fault !== undefined) at("repositories", position, fault);
    }
    for (const [position, pattern] of (rule.immutableTags ?? []).entries()) {
      // A star can stand for something a tag may begin with, or for nothing at all.
      if (!isTag(pattern.replaceAll("*", "_"))) at("immutableTags", position, "must be a tag, with * for any text");
    }
    for (const [position, action] of rule.actions.entries()) {
      if (!actions.includes(action)) at("actions", position, "must be pull, push, delete or *");
    }
  }
  return faults;
}

/** What is well-formed, yet surely not meant: rules that can never allow anything. Paths start at the list of rules. */
export function warnOfAccess(rules: readonly AccessRule[]): Fault[] {
  const warnings: Fault[] = [];
  for (const [index, rule] of rules.entries()) {
    const onlyAnonymous = rule.subjects.every((subject) => subject === "anonymous");
    const pushes = rule.actions.some((action) => action === "push" || action === "*");
    if (!pushes && rule.immutableTags !== undefined) {
      warnings.push({ path: [index, "immutableTags"], message: "has no effect: the rule allows no push" });
    }
    const globs = rule.repositories.map((pattern) => ({ pattern, glob: compileGlob(pattern) }));
    const takes = globs.filter(({ glob }) => glob.negative);
    if (takes.length === globs.length) {
      const message = "can never match: it only takes away; name what it is taken from, such as **";
      warnings.push({ path: [index, "repositories"], message });
    }
    for (const [position, { pattern, glob }] of globs.entries()) {
      const path = [index, "repositories", position];
      const impossible = impossibleSegment(pattern);
      if (impossible !== undefined) {
        const message = `can never match: ${impossible} cannot be part of a repository's name, which is lower-case`;
        warnings.push({ path, message });
      }
      if (glob.negative) continue;
      if (onlyAnonymous && pattern.includes("${username}")) {
        const message = "can never match an anonymous caller, who has no ${username}; name authenticated instead";
        warnings.push({ path, message });
      }
      const taken = takes.find(({ pattern: taken }) => taken === `!${pattern}` || taken === "!**");
      if (taken !== undefined) warnings.push({ path, message: `can never match: ${taken.pattern} takes it away` });
    }
  }
  return warnings;
}
