import type { AnonymousPrincipal, Principal } from "@registry-gate/auth";

/** An anonymous caller without a token. */
export const anonymous: AnonymousPrincipal = { kind: "anonymous" };

export function usernameOf(principal: Principal): string | undefined {
  return principal.kind === "user" ? principal.identity.username : undefined;
}
