import type { AuditEvent } from "./audit-event.ts";

/**
 * Where audit events go. One gateway has one, in one process: what observes requests may be in others, so everything that
 * is passed is plain JSON.
 */
export interface AuditSink {
  /**
   * Records an event. Nothing that it waits for is without a time limit.
   *
   * @returns a promise that resolves when the system has the event, so that it outlives the process.
   * @throws {AuditFailedError} where it has not: the event waits to be written, or is lost and counted.
   */
  write(event: AuditEvent): Promise<void>;
  /** Why events cannot be written at the moment; undefined where they can. */
  readonly failure: string | undefined;
  /**
   * Whether nothing will be recorded any more, because the process that writes has ended. Writes are refused then, whatever
   * `onFailure` says: this process is about to end too, and another one can record them.
   */
  readonly ended?: boolean;
}

/** An event was not written, or not yet. */
export class AuditFailedError extends Error {
  override readonly name = "AuditFailedError";
}
