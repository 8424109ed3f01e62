import { atLeast, type Findings } from "./findings.ts";
import type { Scale } from "./scale.ts";

/** What can be measured by itself, by its name on the command line. */
export interface Part {
  readonly name: string;
  /** What it is about, in a line of the usage text. */
  readonly about: string;
  /** One after the other. What a step starts, it ends, also where it fails. */
  readonly steps: readonly ((scale: Scale) => Promise<Findings | readonly Findings[]>)[];
}

/**
 * A step that fails is a limit that is missed: what the others have found is not lost.
 *
 * @param name Of the step, unlike that of all others.
 */
export async function runStep(
  name: string,
  step: () => Promise<Findings | readonly Findings[]>,
): Promise<readonly Findings[]> {
  try {
    return [await step()].flat();
  } catch (error) {
    const failure = {
      id: `${name}.failed`,
      title: `${name}: failed`,
      columns: [],
      rows: [],
      limits: [atLeast(1, "measured", 0)],
      notes: [error instanceof Error ? error.message : `${error}`],
    };
    return [failure];
  }
}
