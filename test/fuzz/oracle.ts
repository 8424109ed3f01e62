import type { Login, UserName } from "./case/fuzz-case.ts";

/**
 * Who may do what, said twice: once as the gate's configuration, and once as a function that shares no code with it.
 */

export const users: readonly UserName[] = ["alice", "bobby", "carol", "mally"];

/** For `access` of the gate's configuration. */
export const rules: readonly object[] = [
  { subjects: ["anonymous"], repositories: ["world/**"], actions: ["pull"] },
  { subjects: ["authenticated"], repositories: ["share/**"], actions: ["pull"] },
  { subjects: ["user:carol"], repositories: ["share/**"], actions: ["push"] },
  { subjects: ["authenticated"], repositories: ["${username}/**"], actions: ["pull", "push", "delete"] },
];

/** The owners of repositories: the first component of their names. */
export const owners: readonly string[] = [...users, "share", "world"];

export type Action = "pull" | "push" | "delete";

/** Whether somebody may do something to a repository. */
export function may(user: UserName | "anonymous", action: Action, repository: string): boolean {
  const owner = repository.split("/", 1)[0] ?? "";
  if (owner === "world") return action === "pull";
  if (user === "anonymous") return false;
  if (owner === "share") return action === "pull" || (action === "push" && user === "carol");
  return owner === user;
}

/** Whom a request's credentials log in; `undefined` where it must be refused whatever it asks for. */
export function userOf(logins: readonly Login[]): UserName | "anonymous" | undefined {
  const [login, ...more] = logins;
  if (login === undefined) return "anonymous";
  return more.length === 0 ? users.find((user) => user === login) : undefined;
}
