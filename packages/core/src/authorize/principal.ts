import type { AnonymousPrincipal, Principal, UserPrincipal } from "@registry-gate/auth";

/** An anonymous caller without a token. */
export const anonymous: AnonymousPrincipal = { kind: "anonymous" };

export function usernameOf(principal: Principal): string | undefined {
  return principal.kind === "user" ? principal.identity.username : undefined;
}

/** By principal, because a remembered login meets many requests. */
const published = new WeakMap<UserPrincipal, UserPrincipal>();

/** The principal as records show it: the identity's `revision` is derived from the user's password. */
export function withoutRevision(principal: Principal): Principal {
  if (principal.kind !== "user" || principal.identity.revision === undefined) return principal;
  const known = published.get(principal);
  if (known !== undefined) return known;
  const { revision: _, ...identity } = principal.identity;
  const shown: UserPrincipal = { ...principal, identity };
  published.set(principal, shown);
  return shown;
}
