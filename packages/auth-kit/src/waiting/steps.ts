import { setImmediate as nextTurn } from "node:timers/promises";

/** Work in small steps, of which none takes long, and its result. */
export type Steps<T> = Generator<undefined, T, undefined>;

/** For how long at a time others wait, in milliseconds. */
const longestTurn = 4;

/** Takes all steps one after the other. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** Takes the steps in turns, between which the process handles whatever else there is. What a step throws is thrown. */
export async function inTurns<T>(steps: Steps<T>): Promise<T> {
  for (;;) {
    const end = performance.now() + longestTurn;
    do {
      const step = steps.next();
      if (step.done === true) return step.value;
    } while (performance.now() < end);
    await nextTurn();
  }
}
