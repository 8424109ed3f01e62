import type { Identity } from "@registry-gate/auth";

/** Whom a decision is about: somebody authenticated, or nobody in particular. */
export type Principal = { readonly identity: Identity } | "anonymous";

export function usernameOf(principal: Principal): string | undefined {
  return principal === "anonymous" ? undefined : principal.identity.username;
}
