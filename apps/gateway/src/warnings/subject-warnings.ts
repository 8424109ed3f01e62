import type { Fault } from "@registry-gate/auth";
import { didYouMean, type Steps } from "@registry-gate/auth-kit";
import type { AccessRule } from "@registry-gate/core";
import type { KnownNames } from "./known-names.ts";

/** Properties of the backends. */
export interface BackendKinds {
  /** Whether no backend provides groups. */
  readonly withoutGroups: boolean;
  /** Whether one of them is a directory, which ignores spaces and case in names of groups. */
  readonly directory: boolean;
}

/** Of so many names one is looked for that is near to a misspelt one, and for so many misspelt ones. */
const mostCompared = 1000;
const mostSuggestions = 100;

/** Finds users and groups in rules that can never match. */
export function* subjectWarnings(rules: readonly AccessRule[], known: KnownNames, kinds: BackendKinds): Steps<Fault[]> {
  const warnings: Fault[] = [];
  const near = { user: nearNames(known.users), group: nearNames(known.groups) };
  for (const [index, { subjects }] of rules.entries()) {
    for (const [position, subject] of subjects.entries()) {
      yield;
      const message = yield* subjectFault(subject, known, kinds, near);
      if (message !== undefined) warnings.push({ path: ["access", index, "subjects", position], message });
    }
  }
  return warnings;
}

function* subjectFault(
  subject: string,
  known: KnownNames,
  kinds: BackendKinds,
  near: Readonly<Record<"user" | "group", NearNames>>,
): Steps<string | undefined> {
  const [, written, name] = /^(user|group):(.*)$/s.exec(subject.normalize("NFC")) ?? [];
  if (written === undefined || name === undefined) return undefined;
  const kind = written === "user" ? "user" : "group";
  const names = kind === "user" ? known.users : known.groups;
  if (kind === "group" && kinds.withoutGroups) return "can never match: no backend provides groups";
  if (names.has(name)) return undefined;
  const form = formFault(kind, name, kinds);
  if (form !== undefined) return form;
  if (!known.complete) return undefined;
  const variant = yield* near[kind].variantOf(name);
  const file = kind === "user" ? "password file" : "group file";
  if (variant !== undefined)
    return `can never match: no ${file} has ${name}, but ${variant}, which differs only in case`;
  return `can never match: no ${file} has the ${kind} ${name}${near[kind].suggest(name)}`;
}

/** What a name that nobody has may have been meant to be. */
interface NearNames {
  /** The first name that differs by case alone. */
  variantOf(name: string): Steps<string | undefined>;
  /** To be put behind what is wrong; empty where nothing is near. */
  suggest(name: string): string;
}

function nearNames(names: ReadonlySet<string>): NearNames {
  let folded: Map<string, string> | undefined;
  let suggestions = 0;
  return {
    *variantOf(name) {
      if (folded === undefined) {
        folded = new Map();
        for (const other of names) {
          yield;
          const form = other.toLowerCase();
          if (!folded.has(form)) folded.set(form, other);
        }
      }
      return folded.get(name.toLowerCase());
    },
    suggest(name) {
      return names.size > mostCompared || ++suggestions > mostSuggestions ? "" : didYouMean(name, [...names]);
    },
  };
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
