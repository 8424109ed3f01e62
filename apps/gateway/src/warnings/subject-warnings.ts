import type { Fault } from "@registry-gate/auth";
import { didYouMean } from "@registry-gate/auth-kit";
import type { AccessRule } from "@registry-gate/core";
import { caseVariants, type KnownNames } from "./known-names.ts";

/** What is known of the backends, beside their names. */
export interface BackendKinds {
  /** Whether no backend can tell groups. */
  readonly withoutGroups: boolean;
  /** Whether a directory is among them, which passes over blanks and case in the names of groups. */
  readonly directory: boolean;
}

/** Finds users and groups in rules that nobody can be. */
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
  if (kind === "group" && kinds.withoutGroups) return "can never match: no backend knows groups";
  if (names.has(name)) return undefined;
  const form = formFault(kind, name, kinds);
  if (form !== undefined) return form;
  if (!known.complete) return undefined;
  const [variant] = caseVariants(name, names);
  const file = kind === "user" ? "password file" : "group file";
  if (variant !== undefined)
    return `can never match: no ${file} has ${name}, but ${variant}, which differs by case alone`;
  return `can never match: no ${file} has the ${kind} ${name}${didYouMean(name, [...names])}`;
}

/** What no name can be, whoever tells it. */
function formFault(kind: string, name: string, { directory }: BackendKinds): string | undefined {
  const trimmed = name.trim();
  if (trimmed === "") return `can never match: the name of the ${kind} is missing`;
  if (trimmed !== name) {
    const blank = name.startsWith(trimmed) ? "behind" : "before";
    const effect = directory && kind === "group" ? "matches groups of a directory alone" : "can never match";
    return `${effect}: a blank stands ${blank} the name; write ${kind}:${trimmed}`;
  }
  if (/[\p{Cf}\p{Zl}\p{Zp}]/u.test(name)) return "can never match: the name holds an invisible character";
  if (!name.includes("*")) return undefined;
  const instead = kind === "user" ? "authenticated is everybody who is signed in" : "name each group";
  return `can never match: in a name, * stands for itself; ${instead}`;
}
