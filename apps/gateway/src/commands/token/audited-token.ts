import type { AccessToken } from "@registry-gate/access-tokens";
import type { AuditedToken } from "../../audit/audit-event.ts";
import { ownerName } from "./selection.ts";

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
