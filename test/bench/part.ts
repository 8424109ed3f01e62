import { setTimeout as delay } from "node:timers/promises";
import { atLeast, type Findings } from "./findings.ts";
import type { Progress } from "./progress.ts";
import type { Scale } from "./scale.ts";

/** What can be measured by itself, by its name on the command line. */
export interface Part {
  readonly name: string;
  /** What it is about, in a line of the usage text. */
  readonly about: string;
  /** One after the other. What a step starts, it ends, also where it fails. */
  readonly steps: readonly Step[];
}

export type Step = (scale: Scale) => Promise<Findings | readonly Findings[]>;

/** What has to be done for each step. */
export interface StepSurroundings {
  /** @param stepsLeft Of all parts, this one included. */
  scaleOf(stepsLeft: number): Scale;
  /** Takes what a step has found, before the next one begins. */
  found(findings: readonly Findings[]): Promise<void>;
}

/** Runs the parts one after the other. Rejects only where `found` does. */
export async function runParts(
  parts: readonly Part[],
  { scaleOf, found }: StepSurroundings,
  progress: Pick<Progress, "begin" | "end">,
): Promise<void> {
  let left = parts.reduce((sum, { steps }) => sum + steps.length, 0);
  for (const { name, steps } of parts) {
    progress.begin(name);
    for (const [index, step] of steps.entries()) {
      const scale = scaleOf(left--);
      await found(await runStep(`${name}.${index + 1}`, () => step(scale)));
    }
    progress.end();
  }
}

/** How long a step may take, in seconds: twice what the longest of a whole run does. */
const mostSeconds = 600;

/**
 * A step that fails is a limit that is missed: what the others have found is not lost. So is one that does not end, and an
 * error that nobody waits for, such as that of a connection. Never rejects.
 *
 * @param name Of the step, unlike that of all others.
 * @param most How many seconds it may take.
 */
export async function runStep(
  name: string,
  step: () => Promise<Findings | readonly Findings[]>,
  most: number = mostSeconds,
): Promise<readonly Findings[]> {
  const failures: unknown[] = [];
  const found: Findings[] = [];
  const stray = (error: unknown): void => void failures.push(error);
  process.on("uncaughtException", stray).on("unhandledRejection", stray);
  const ended = new AbortController();
  const late = delay(most * 1000, undefined, { signal: ended.signal }).then(
    () => Promise.reject(new Error(`took longer than ${most} s`)),
    () => [],
  );
  try {
    found.push(...[await Promise.race([step(), late])].flat());
  } catch (error) {
    failures.push(error);
  } finally {
    ended.abort();
    process.off("uncaughtException", stray).off("unhandledRejection", stray);
  }
  return failures.length === 0 ? found : [...found, failed(name, failures)];
}

/** Whether it is the findings of a step that failed. */
export function isFailed({ id }: Pick<Findings, "id">): boolean {
  return id.endsWith(failedEnd);
}

const failedEnd = ".failed";

function failed(name: string, failures: readonly unknown[]): Findings {
  return {
    id: `${name}${failedEnd}`,
    title: `${name}: failed`,
    columns: [],
    rows: [],
    limits: [atLeast(1, "measured", 0)],
    notes: failures.map((error) => `failed: ${error instanceof Error ? error.message : `${error}`}`),
  };
}

/**
 * A step that a quick run of all parts has no time for: its findings say so in place of figures.
 *
 * @param id Of its findings.
 */
export function onlyWhole(id: string, title: string, step: Step): Step {
  return async (scale) =>
    scale.leavesOut
      ? { id, title, columns: [], rows: [], limits: [], notes: ["left out of a quick run of all parts"] }
      : step(scale);
}
