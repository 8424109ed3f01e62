import { type Channel, openChannel, type QueueEvent } from "@registry-gate/auth-kit";

/** Logins that wait for their password to be checked. Cheap hashes, such as `{SHA}`, are checked at once. */
export type HashQueue = QueueEvent & {
  /** The id of the backend. */
  readonly backend: string;
};

/** Waiting for the check of a password. */
export const hashQueue: Channel<HashQueue> = openChannel("registry-gate:hash:queue");
