import type { Server } from "node:net";

/** How soon after another one a connection belongs to the same burst, in milliseconds. */
const burstGap = 10;
/** How long others are given after each, in milliseconds: enough to wake and to accept one. */
const pauseTime = 0.1;
/**
 * How many pauses a burst has at most, and how many there are a second in the long run. Not a time: on a busy machine a pause
 * takes longer, and the process whose time was over first would take all the rest.
 */
const mostPauses = 256;
const pausesPerSecond = 64;

/** What the time is, and how it passes, in milliseconds. */
interface Clock {
  now(): number;
  /** Lets this thread do nothing. */
  pause(time: number): void;
}

/**
 * Leaves a part of each burst of connections to the other processes that accept from the same socket.
 *
 * Node accepts one connection in each turn of its loop. Of many that come at one moment, the process that the kernel wakes
 * first has most before another one has woken. So this one stands still for a moment after each of a burst, the first
 * excepted. It waits for nobody: a connection that no other process takes meanwhile, it takes itself.
 */
export function spreadBursts(server: Server, { now, pause }: Clock = systemClock): void {
  let last = Number.NEGATIVE_INFINITY;
  /** How many pauses it may make, and when that was counted. */
  let [left, counted] = [mostPauses, now()];
  server.on("connection", () => {
    const time = now();
    const alone = time - last > burstGap;
    last = time;
    if (alone) return;
    left = Math.min(mostPauses, left + ((time - counted) / 1000) * pausesPerSecond);
    counted = time;
    if (left < 1) return;
    left--;
    pause(pauseTime);
    last = now();
  });
}

const never = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

const systemClock: Clock = {
  now: () => performance.now(),
  // Nobody wakes it before its time.
  pause: (time) => void Atomics.wait(never, 0, 0, time),
};
