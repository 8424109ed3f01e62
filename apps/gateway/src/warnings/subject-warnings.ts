import type { Fault } from "@registry-gate/auth";
import { didYouMean } from "@registry-gate/auth-kit";
import type { AccessRule } from "@registry-gate/core";
import { caseVariants, type KnownNames } from "./known-names.ts";

/** Properties of the backends. */
export interface BackendKinds {
  /** Whether no backend provides groups. */
  readonly withoutGroups: boolean;
  /** Whether one of them is a directory, which ignores spaces and case in names of groups. */
  readonly directory: boolean;
}

/** Finds users and groups in rules that can never match. */
export function subjectWarnings(rules: readonly AccessRule[], known: KnownNames, kinds: BackendKinds): Fault[] {
  return rules.flatMap(({ subjects }, index) =>
    subjects.flatMap((subject, position) => {
      const message = subjectFault(subject, known, kinds);
      return message === undefined ? [] : [{ path: ["access", index, "subjects", position], message }];
    }),
  );
}

function subjectFault(subject: string, known: KnownNames, kinds: BackendKinds): string | undefined {
  const [, kind, written = ""] = /^(user|group):(.*)$/s.exec(subject) ?? [];
  if (kind === undefined) return undefined;
  const name = written.normalize("NFC");
  const names = kind === "user" ? known.users : known.groups;
  if (kind === "group" && kinds.withoutGroups) return "can never match: no backend provides groups";
  if (names.has(name)) return undefined;
  const form = formFault(kind, name, kinds);
  if (form !== undefined) return form;
  if (!known.complete) return undefined;
  const [variant] = caseVariants(name, names);
  const file = kind === "user" ? "password file" : "group file";
  if (variant !== undefined)
    return `can never match: no ${file} has ${name}, but ${variant}, which differs only in case`;
  return `can never match: no ${file} has the ${kind} ${name}${didYouMean(name, [...names])}`;
}

/** Finds names that no backend can provide. */
function formFault(kind: string, name: string, { directory }: BackendKinds): string | undefined {
  const trimmed = name.trim();
  if (trimmed === "") return `can never match: the name of the ${kind} is missing`;
  if (trimmed !== name) {
    const blank = name.startsWith(trimmed) ? "follows" : "precedes";
    const effect = directory && kind === "group" ? "matches only groups of a directory" : "can never match";
    return `${effect}: a space ${blank} the name; write ${kind}:${trimmed}`;
  }
  if (/[\p{Cf}\p{Zl}\p{Zp}]/u.test(name)) return "can never match: the name holds an invisible character";
  if (!name.includes("*")) return undefined;
  const instead = kind === "user" ? "authenticated means every signed-in user" : "name each group";
  return `can never match: in a name, * stands for itself; ${instead}`;
}
