import type { AuditEvent } from "../audit/audit-event.ts";

/**
 * Where events become notifications. One gateway has one, in one process: what observes requests may be in others, so that
 * everything that is passed is plain JSON.
 */
export interface EventSink {
  /**
   * Takes an event. Nothing that it waits for is without a time limit, and no endpoint is asked meanwhile.
   *
   * @returns a promise that resolves when each notification of the event is on disk, or counted as lost; it rejects where the process
   * that does so has ended.
   */
  accept(event: AuditEvent): Promise<void>;
}
