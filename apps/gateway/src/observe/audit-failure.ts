import { type Channel, openChannel } from "@registry-gate/auth-kit";

/** Events were handed to the system. */
export interface AuditWritten {
  /** How many. */
  readonly count: number;
}

/** The audit could not be written, or can be written again. */
export interface AuditFailure {
  /**
   * - `failing`: an attempt failed, and there will be another one
   * - `lost`: events were dropped, because too many wait, or because the audit ends
   * - `recovered`: an attempt went well again
   * - `abandoned`: what failed is not written to any more: the configuration names another output, or the gateway ends
   */
  readonly state: "failing" | "lost" | "recovered" | "abandoned";
  /** Such as `ENOSPC`. */
  readonly reason: string | undefined;
  /** How many events wait to be written. */
  readonly waiting: number;
  /** How many events were lost since this output was opened. */
  readonly lost: number;
  /** How many of them just now: 0 unless the state is `lost`. */
  readonly count: number;
}

/** What the audit has written. */
export const auditWritten: Channel<AuditWritten> = openChannel("registry-gate:audit:written");
/** What the audit could not write. */
export const auditFailure: Channel<AuditFailure> = openChannel("registry-gate:audit:failure");
