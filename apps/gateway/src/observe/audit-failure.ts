import { type Channel, openChannel } from "@registry-gate/auth-kit";

/** The audit could not be written, or can be written again. */
export interface AuditFailure {
  /** `lost`: events were dropped, because too many wait. */
  readonly state: "failing" | "lost" | "recovered";
  /** Such as `ENOSPC`. */
  readonly reason: string | undefined;
  /** How many events wait to be written. */
  readonly waiting: number;
  /** How many events were lost since the start. */
  readonly lost: number;
}

/** What the audit could not write. */
export const auditFailure: Channel<AuditFailure> = openChannel("registry-gate:audit:failure");
