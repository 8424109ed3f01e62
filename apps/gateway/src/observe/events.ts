import { type Channel, openChannel } from "@registry-gate/auth-kit";

/** What became of a notification. */
export interface EventDelivery {
  /** Host and port of the endpoint: its path can be a secret. */
  readonly endpoint: string;
  /**
   * - `queued`: it waits on disk
   * - `delivered`
   * - `failed`: an attempt failed, and there will be another one
   * - `given-up`: the endpoint has refused it again and again; the next one follows
   * - `dropped`: too many waited, and it was among the oldest
   * - `lost`: it could not be put into the queue
   */
  readonly outcome: "queued" | "delivered" | "failed" | "given-up" | "dropped" | "lost";
  /** How many it is about: more than one for `dropped` alone. */
  readonly count: number;
  /** How many wait for this endpoint now; undefined where the queue cannot be read. */
  readonly waiting: number | undefined;
  /** Of the endpoint's response; undefined where there was none. */
  readonly status: number | undefined;
  /** Of the attempt; undefined where there was none. */
  readonly milliseconds: number | undefined;
}

/** Notifications of endpoints. */
export const eventDelivery: Channel<EventDelivery> = openChannel("registry-gate:event:delivery");
