/**
 * Why a queue gave no slot:
 *
 * - `full`: too many wait, and nobody has more waiters than the key that came
 * - `key-full`: too many of the same key wait
 * - `displaced`: the queue was full, and the place of the key with the most waiters went to another key
 * - `timed-out`: no slot became free in time
 * - `aborted`: the signal aborted; its reason is the error's cause
 * - `closed`: the queue was closed
 */
export type QueueRefusal = "full" | "key-full" | "displaced" | "timed-out" | "aborted" | "closed";

/** What happens to a caller that finds no free slot in a queue. A slot that is granted at once makes no event. */
export type QueueEvent = QueueLevels &
  (
    | { readonly event: "waiting" }
    | {
        readonly event: "granted";
        /** How long it has waited. */
        readonly milliseconds: number;
      }
    | {
        readonly event: "refused";
        readonly reason: QueueRefusal;
        /** How long it has waited; 0 where it was refused at once. */
        readonly milliseconds: number;
      }
  );

/** How full the queue is after the event. */
export interface QueueLevels {
  /** How many wait. */
  readonly waiting: number;
  /** How many slots are in use. */
  readonly inUse: number;
}

/** Is given events of a queue, as functions that make them: nothing is made where nobody listens. Must not throw. */
export type ObserveQueue = (build: () => QueueEvent) => void;
