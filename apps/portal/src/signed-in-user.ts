import type { Identity } from "@registry-gate/auth";

/** What a session keeps of its user. */
export type SignedInUser = Pick<Identity, "subject" | "username" | "groups">;

/** Reads what a session kept. */
export function asSignedIn(user: unknown): SignedInUser {
  if (!isSignedIn(user)) throw new TypeError("the session's user is malformed");
  return { subject: user.subject, username: user.username, groups: user.groups };
}

function isSignedIn(user: unknown): user is SignedInUser {
  if (typeof user !== "object" || user === null) return false;
  if (!("subject" in user && "username" in user && "groups" in user)) return false;
  const { subject, username, groups } = user;
  return typeof subject === "string" && typeof username === "string" && Array.isArray(groups);
}
