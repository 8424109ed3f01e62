import { randomUUID } from "node:crypto";
import { type Fault, formatFault } from "@registry-gate/auth";
import { inTurns } from "@registry-gate/auth-kit";
import type { Configuration } from "../config/configuration.ts";
import type { AuditEvent, AuditedToken, ReloadCause } from "./audit-event.ts";
import { configurationChanges } from "./configuration-changes.ts";

/** More changes or faults than this are left out, and counted. */
const mostListed = 200;

/** A configuration that was applied. */
export async function reloadedEvent(from: Configuration, to: Configuration, cause: ReloadCause): Promise<AuditEvent> {
  const changes = await inTurns(configurationChanges(from, to));
  return {
    ...begin("reload"),
    outcome: "reloaded",
    cause,
    reason: changes.length === 1 ? "1 value changed" : `${changes.length} values changed`,
    changes: changes.slice(0, mostListed),
  };
}

/** @param faults Why the configuration was rejected, as the log has them. */
export function reloadRejectedEvent(faults: readonly Fault[], cause: ReloadCause): AuditEvent {
  return {
    ...begin("reload"),
    outcome: "rejected",
    cause,
    reason: faults.length === 1 ? "1 fault" : `${faults.length} faults`,
    faults: faults.slice(0, mostListed).map(formatFault),
  };
}

/** An access token that somebody has created or revoked. */
export function tokenEvent(outcome: "created" | "revoked", token: Omit<AuditedToken, "kind">, who: string): AuditEvent {
  return { ...begin("token"), outcome, username: who, token: { kind: "access", ...token } };
}

/** A sign-in at the portal that failed, or was not judged because too many have. */
export interface PortalSignIn {
  readonly requestId: string;
  /** As it may be recorded. */
  readonly attemptedUsername: string | undefined;
  readonly address: string | undefined;
  readonly throttled: boolean;
}

export function portalSignInEvent({ requestId, attemptedUsername, address, throttled }: PortalSignIn): AuditEvent {
  return {
    ...begin(throttled ? "throttled" : "login-failed"),
    ...{ requestId, method: "POST", phase: "authenticate", outcome: "completed" },
    ...{ decision: throttled ? "throttled" : "unauthenticated", status: throttled ? 429 : 401 },
    ...(attemptedUsername !== undefined && { attemptedUsername }),
    ...(address !== undefined && { address }),
    reason: "sign-in at the portal",
  };
}

function begin<Kind extends AuditEvent["event"]>(event: Kind): Pick<AuditEvent, "id" | "time"> & { event: Kind } {
  return { id: randomUUID(), time: new Date().toISOString(), event };
}
