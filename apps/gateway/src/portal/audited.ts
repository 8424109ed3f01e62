import type { AccessTokens } from "@registry-gate/access-tokens";
import type { Activity } from "@registry-gate/portal";
import type { AuditEvent } from "../audit/audit-event.ts";
import { describeToken, ownerName } from "../audit/audited-token.ts";
import { portalSignInEvent, tokenEvent } from "../audit/gateway-events.ts";
import { printable } from "../printable.ts";

type Audit = (event: AuditEvent) => void;

/** The same, and each token that is made or revoked is recorded. */
export function auditedTokens(tokens: AccessTokens, audit: Audit): AccessTokens {
  return {
    list: (owner) => tokens.list(owner),
    async create(request, signal) {
      const created = await tokens.create(request, signal);
      const { accessToken } = created;
      audit(tokenEvent("created", describeToken(accessToken), ownerName(accessToken.owner)));
      return created;
    },
    async revoke(id, owner) {
      const token = (await tokens.list(owner)).find((one) => one.id === id);
      const revoked = await tokens.revoke(id, owner);
      if (revoked && token !== undefined) audit(tokenEvent("revoked", describeToken(token), ownerName(token.owner)));
      return revoked;
    },
  };
}

const longestName = 128;

/**
 * The same, and each failed sign-in is recorded.
 *
 * @param attemptedNames Whether names may be kept: somebody may have typed a password there.
 */
export function auditedActivity(activity: Activity, audit: Audit | undefined, attemptedNames: boolean): Activity {
  return {
    ...activity,
    signInFailed({ username: typed, ...attempt }) {
      const username = attemptedNames && typed !== undefined ? printable(typed.slice(0, longestName)) : undefined;
      activity.signInFailed({ ...attempt, username });
      audit?.(portalSignInEvent({ ...attempt, attemptedUsername: username }));
    },
  };
}
