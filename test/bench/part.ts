import type { Findings } from "./findings.ts";
import type { Scale } from "./scale.ts";

/** What can be measured by itself, by its name on the command line. */
export interface Part {
  readonly name: string;
  /** What it is about, in a line of the usage text. */
  readonly about: string;
  /** One after the other. What a step starts, it ends, also where it fails. */
  readonly steps: readonly ((scale: Scale) => Promise<Findings>)[];
}
