import type { Scale } from "./scale.ts";

/**
 * Measures all contenders round by round, so that whatever else the machine does meets all of them. Whoever begins a
 * round is another one each time.
 *
 * @returns the samples of each contender, in the order of the contenders; those with the same index are of one round.
 */
export async function interleave<Contender, Sample>(
  contenders: readonly Contender[],
  { rounds, progress }: Pick<Scale, "rounds" | "progress">,
  measure: (contender: Contender, index: number) => Promise<Sample>,
): Promise<Sample[][]> {
  const samples: Sample[][] = contenders.map(() => []);
  for (let round = 0; round < rounds; round++) {
    progress(`round ${round + 1} of ${rounds}`);
    for (let turn = 0; turn < contenders.length; turn++) {
      const index = (round + turn) % contenders.length;
      const contender = contenders[index];
      if (contender !== undefined) samples[index]?.push(await measure(contender, index));
    }
  }
  return samples;
}

/** The upper one of the two where their number is even. Not a number where there are none. */
export function median(values: readonly number[]): number {
  return sorted(values)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** From the least to the greatest: how far the rounds are apart. */
export interface Spread {
  readonly least: number;
  readonly most: number;
}

export function spread(values: readonly number[]): Spread {
  const ascending = sorted(values);
  return { least: ascending.at(0) ?? Number.NaN, most: ascending.at(-1) ?? Number.NaN };
}

/** What each round by itself says about one contender against another. */
export function ratios(ours: readonly number[], theirs: readonly number[]): number[] {
  return ours.map((value, round) => value / (theirs[round] ?? Number.NaN));
}

function sorted(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b);
}
