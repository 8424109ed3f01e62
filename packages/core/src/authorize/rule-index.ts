import type { Access, Action } from "@registry-gate/auth";
import type { Steps } from "@registry-gate/auth-kit";
import { type CompiledRule, covers } from "./compiled-rule.ts";
import { type PatternEntry, patternIndex } from "./pattern-index.ts";

/** Some rules of one effect, by the repositories that they are about. */
export interface RuleIndex {
  /** In their order. */
  readonly rules: readonly CompiledRule[];
  /** The first of the rules that applies to an access, if it comes before `bound`; otherwise `bound`. */
  first(access: Access, username: string | undefined, bound: CompiledRule | undefined): CompiledRule | undefined;
  /** Every rule that applies to an access, perhaps more than once. */
  all(access: Access, username: string | undefined): readonly CompiledRule[];
  /** What the rules with an action are about. */
  about(action: Action): About;
}

/** Whether one of some rules is about a repository, and whether one is about all of them. */
interface About {
  readonly something: boolean;
  readonly everything: boolean;
}

/** A rule of more patterns is looked through by itself, so that many subjects of many patterns need no memory for each pair. */
const mostPatterns = 32;

/** @param rules In their order. */
export function* indexRules(rules: readonly CompiledRule[]): Steps<RuleIndex> {
  const entries: PatternEntry<CompiledRule>[] = [];
  for (const rule of rules) {
    yield;
    for (const entry of entriesOf(rule)) entries.push(entry);
  }
  const patterns = yield* patternIndex(entries);
  const known = new Map<Action, About>();
  return {
    rules,
    first(access, username, bound) {
      let first = bound;
      patterns.each(access.name, username, (rule) => {
        // Those that follow come after it, too.
        if (first !== undefined && rule.index >= first.index) return true;
        if (!concerns(rule, access, username)) return false;
        first = rule;
        return true;
      });
      return first;
    },
    all(access, username) {
      const all: CompiledRule[] = [];
      patterns.each(access.name, username, (rule) => {
        if (concerns(rule, access, username)) all.push(rule);
        return false;
      });
      return all;
    },
    about(action) {
      const before = known.get(action);
      if (before !== undefined) return before;
      const concerned = rules.filter((rule) => covers(rule, action));
      const about = { something: concerned.some(isAboutSomething), everything: concerned.some(isAboutEverything) };
      known.set(action, about);
      return about;
    },
  };
}

/** Whether a rule, one of whose patterns matches, applies. */
function concerns(rule: CompiledRule, { action, name }: Access, username: string | undefined): boolean {
  return covers(rule, action) && !rule.excluded.matches(name, username);
}

function entriesOf(rule: CompiledRule): readonly PatternEntry<CompiledRule>[] {
  const { globs, matches } = rule.included;
  if (globs.length <= mostPatterns) return globs.map((glob) => ({ glob, value: rule }));
  return [{ glob: { only: undefined, prefix: "", suffix: "", segments: [], matches }, value: rule }];
}

function isAboutEverything({ included, excluded }: CompiledRule): boolean {
  return excluded.globs.length === 0 && included.globs.some(({ everything }) => everything);
}

/** Without an including pattern, there is nothing to exclude from. */
function isAboutSomething({ included }: CompiledRule): boolean {
  return included.globs.length > 0;
}
