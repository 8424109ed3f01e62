import type { Identity, NameMatching, Principal } from "@registry-gate/auth";
import { atOnce, type Steps } from "@registry-gate/auth-kit";
import type { CompiledRule } from "./compiled-rule.ts";
import { comparableGroup, comparableGroups, comparableUser } from "./group-name.ts";
import { indexRules, type RuleIndex } from "./rule-index.ts";

/** The rules of one effect, by whom they are about. */
export interface SubjectIndex {
  /** The rules whose subjects include a principal; together, each of them at least once. */
  of(principal: Principal): readonly RuleIndex[];
}

/** From how many indexes on those of one identity are joined into one: a user may be in thousands of groups. */
const worthJoining = 32;
/** How many rules are kept joined; where there are more, all are joined anew as they are needed. */
const mostJoined = 200_000;

type Named = ReadonlyMap<string, RuleIndex>;

/**
 * Indexes rules of one effect. A rule that allows requires the exact name of a user, and groups that are certain; one that
 * denies applies to names and groups that may be meant as well.
 *
 * @param rules In their order.
 */
export function* subjectIndex(rules: readonly CompiledRule[], effect: "allow" | "deny"): Steps<SubjectIndex> {
  const made = new Map<string, RuleIndex>();
  /** Subjects of the same rules share an index. */
  function* indexOf(list: readonly CompiledRule[]): Steps<RuleIndex> {
    const key = list.map(({ index }) => index).join();
    const index = made.get(key) ?? (yield* indexRules(list));
    made.set(key, index);
    return index;
  }
  function* named(kind: "user:" | "group:", form: (name: string) => string): Steps<Named> {
    const lists = new Map<string, CompiledRule[]>();
    for (const rule of rules) {
      yield;
      for (const subject of rule.subjects) {
        if (!subject.startsWith(kind)) continue;
        const name = form(subject.slice(kind.length));
        const list = lists.get(name);
        if (list === undefined) lists.set(name, [rule]);
        else if (list.at(-1) !== rule) list.push(rule);
      }
    }
    const indexes = new Map<string, RuleIndex>();
    for (const [name, list] of lists) {
      yield;
      indexes.set(name, yield* indexOf(list));
    }
    return indexes;
  }
  function* byForm(kind: "user:" | "group:", form: (name: string, matching: NameMatching) => string) {
    return {
      exact: yield* named(kind, (name) => form(name, "exact")),
      folded: yield* named(kind, (name) => form(name, "folded")),
    };
  }

  const everybody = yield* indexOf(rules.filter(({ subjects }) => subjects.includes("anonymous")));
  const authenticated = yield* indexOf(rules.filter(({ subjects }) => subjects.includes("authenticated")));
  const anyGroup = yield* indexOf(
    rules.filter(({ subjects }) => subjects.some((subject) => subject.startsWith("group:"))),
  );
  const users = yield* byForm("user:", comparableUser);
  const groups = yield* byForm("group:", comparableGroup);

  function byName(identity: Identity): readonly RuleIndex[] {
    const nameMatching = identity.nameMatching === "folded" ? "folded" : "exact";
    const userMatching = effect === "deny" ? nameMatching : "exact";
    const user = users[userMatching].get(comparableUser(identity.username, userMatching));
    const ofUser = user === undefined ? [] : [user];
    // Unknown groups must not bypass a denial.
    if (effect === "deny" && identity.groupsIncomplete !== undefined) return [...ofUser, anyGroup];
    const known = groups[nameMatching];
    if (known.size === 0) return ofUser;
    const { certain, possible } = comparableGroups(identity);
    const ofGroups: RuleIndex[] = [];
    for (const group of effect === "deny" ? possible : certain) {
      const index = known.get(group);
      if (index !== undefined) ofGroups.push(index);
    }
    return [...ofUser, ...ofGroups];
  }

  function byIdentity(identity: Identity): readonly RuleIndex[] {
    const indexes = new Set([everybody, authenticated, ...byName(identity)]);
    const all = [...indexes].filter((index) => index.rules.length > 0);
    if (all.length < worthJoining) return all;
    const one = join(all);
    joined += one.rules.length;
    return [one];
  }

  function join(indexes: readonly RuleIndex[]): RuleIndex {
    const rules = new Set<CompiledRule>();
    for (const index of indexes) for (const rule of index.rules) rules.add(rule);
    return atOnce(indexRules([...rules].sort((one, other) => one.index - other.index)));
  }

  const byNobody = [everybody];
  /** Because many requests use the identity of one remembered login. */
  let known = new WeakMap<Identity, readonly RuleIndex[]>();
  let joined = 0;
  return {
    of(principal) {
      if (principal.kind !== "user") return byNobody;
      const { identity } = principal;
      const before = known.get(identity);
      if (before !== undefined) return before;
      if (joined > mostJoined) {
        known = new WeakMap();
        joined = 0;
      }
      const indexes = byIdentity(identity);
      known.set(identity, indexes);
      return indexes;
    },
  };
}
