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

function begin<Kind extends AuditEvent["event"]>(event: Kind): Pick<AuditEvent, "id" | "time"> & { event: Kind } {
  return { id: randomUUID(), time: new Date().toISOString(), event };
}
