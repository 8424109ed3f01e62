import { setTimeout as delay } from "node:timers/promises";
import { isBusy } from "./sqlite-fault.ts";

/** For how long a lock of another process is waited for, in milliseconds. */
const patience = 1500;

/** How long SQLite itself waits for a lock, in milliseconds: meanwhile this process does nothing else. */
export const busyTimeout = 20;

/** Does work again while another process has locked the database. Between attempts this process serves others. */
export async function untilUnlocked<T>(work: () => T): Promise<T> {
  const end = performance.now() + patience;
  for (let pause = 2; ; pause = Math.min(2 * pause, 50)) {
    try {
      return work();
    } catch (error) {
      if (!isBusy(error) || performance.now() > end) throw error;
      await delay(pause * (0.5 + Math.random()));
    }
  }
}
