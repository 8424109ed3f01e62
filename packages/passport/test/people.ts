import type { AuthResult } from "@registry-gate/auth";
import type { SignedIn } from "@registry-gate/passport";

/** A user as an app has it. */
export interface Person {
  readonly login: string;
  readonly teams: readonly string[];
}

const people: Readonly<Record<string, { readonly password: string; readonly teams: readonly string[] }>> = {
  alice: { password: "alice's canary", teams: ["pushers", "readers"] },
  bob: { password: "bob's canary", teams: ["readers"] },
};

/** The person with this name and password. */
export function personOf(login: string, password: string): Person | undefined {
  const known = Object.hasOwn(people, login) ? people[login] : undefined;
  return known?.password === password ? { login, teams: known.teams } : undefined;
}

/** A verify function, as strategies of passwords take it. */
export function verify(login: string, password: string, done: (error: unknown, user?: unknown) => void): void {
  // Whoever asks a database answers later too.
  setImmediate(() => done(null, personOf(login, password) ?? false));
}

export function identityOfPerson(person: Person): SignedIn {
  return { username: person.login, groups: person.teams };
}

/** A result in a word or two. */
export function summary(result: AuthResult): string {
  if (result.status !== "authenticated") return result.status;
  return `${result.identity.username} in ${result.identity.groups.join(" ")}`;
}
