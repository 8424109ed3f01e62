import { setImmediate } from "node:timers";

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

/**
 * Takes the steps in turns, between which the process handles whatever else there is. All work in progress shares a turn:
 * however much of it there is, others wait no longer. What a step throws is thrown.
 */
export function inTurns<T>(steps: Steps<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const work = (until: number): boolean => {
      try {
        do {
          const step = steps.next();
          if (step.done !== true) continue;
          resolve(step.value);
          return true;
        } while (performance.now() < until);
        return false;
      } catch (error) {
        reject(error);
        return true;
      }
    };
    begin(work);
  });
}

/** Takes steps until then, one at least. @returns whether there are none left. */
type Work = (until: number) => boolean;

/** Whoever is served first has waited longest. */
const waiting: Work[] = [];
/** When the turn ends that this round of the event loop has; undefined where nobody has had one since the last. */
let turnEnds: number | undefined;

/** What is little is done at once, as long as this round's turn lasts. */
function begin(work: Work): void {
  if (turnEnds === undefined) {
    turnEnds = performance.now() + longestTurn;
    setImmediate(takeTurn);
  }
  if (waiting.length > 0 || performance.now() >= turnEnds || !work(turnEnds)) waiting.push(work);
}

function takeTurn(): void {
  turnEnds = undefined;
  if (waiting.length === 0) return;
  turnEnds = performance.now() + longestTurn;
  setImmediate(takeTurn);
  do {
    const work = waiting.shift();
    if (work !== undefined && !work(turnEnds)) waiting.push(work);
  } while (waiting.length > 0 && performance.now() < turnEnds);
}
