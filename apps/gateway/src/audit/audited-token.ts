import type { AccessToken, TokenOwner } from "@registry-gate/access-tokens";
import type { AuditedToken } from "./audit-event.ts";

/** A token as the audit has it. Its id cannot be used as a token. */
export function describeToken({ id, name, owner, scopes, expiresAt }: AccessToken): Omit<AuditedToken, "kind"> {
  return {
    id,
    name,
    owner: ownerName(owner),
    ...(scopes !== undefined && { scopes }),
    ...(expiresAt !== undefined && { expires: new Date(expiresAt).toISOString() }),
  };
}

/** Whose a token is, as rules name them. */
export function ownerName(owner: TokenOwner): string {
  return owner.kind === "user" ? owner.username : `robot$${owner.name}`;
}
