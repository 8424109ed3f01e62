import type { AuthBackend, Identity, Roster } from "@registry-gate/auth";

/** The users and groups that the backends can list. */
export interface KnownNames {
  /** Whether nobody else can sign in: all users are in files. */
  readonly complete: boolean;
  readonly users: ReadonlySet<string>;
  readonly groups: ReadonlySet<string>;
  /** The identity of a user in the first backend that has the name. */
  identityOf(username: string): Identity | undefined;
}

export function knownNames(backends: readonly AuthBackend[]): KnownNames {
  const rosters = backends.flatMap((backend): Roster[] => {
    const roster = backend.roster?.();
    return roster === undefined ? [] : [roster];
  });
  return {
    complete: rosters.length === backends.length,
    users: union(rosters.map(({ users }) => users)),
    groups: union(rosters.map(({ groups }) => groups)),
    identityOf(username) {
      for (const roster of rosters) {
        const identity = roster.identityOf(username);
        if (identity !== undefined) return identity;
      }
      return undefined;
    },
  };
}

/** One set is not copied: there may be a hundred thousand users in it. */
function union([first = new Set(), ...others]: readonly ReadonlySet<string>[]): ReadonlySet<string> {
  return others.length === 0 ? first : new Set([...first, ...others.flatMap((names) => [...names])]);
}

/** Those of some names that are the same but for case. */
export function caseVariants(name: string, known: Iterable<string>): readonly string[] {
  const folded = name.toLowerCase();
  return [...known].filter((other) => other !== name && other.toLowerCase() === folded);
}

const mostListed = 3;

/** Some names in a line. */
export function listed(names: readonly string[]): string {
  const more = names.length - mostListed;
  return names.slice(0, mostListed).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
