import type { Identity } from "@registry-gate/auth";

/** Whom a decision is about: somebody authenticated, or nobody in particular. */
export type Principal =
  | {
      readonly identity: Identity;
      /** Whether there may be groups that the identity does not name: for what an explanation says. */
      readonly groupsUnknown?: boolean;
    }
  | "anonymous";

export function usernameOf(principal: Principal): string | undefined {
  return principal === "anonymous" ? undefined : principal.identity.username;
}
