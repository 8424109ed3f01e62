/**
 * Measures all contenders round by round, so that whatever else the machine does meets all of them. Whoever begins a
 * round is another one each time.
 *
 * @returns the samples of each contender, in the order of the contenders; those with the same index are of one round.
 */
export async function interleave<Contender, Sample>(
  contenders: readonly Contender[],
  rounds: number,
  measure: (contender: Contender, index: number) => Promise<Sample>,
): Promise<Sample[][]> {
  const samples: Sample[][] = contenders.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const index = (round + turn) % contenders.length;
      const contender = contenders[index];
      if (contender !== undefined) samples[index]?.push(await measure(contender, index));
    }
  }
  return samples;
}

/** The upper one of the two where their number is even. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** The median of what each round by itself says about one contender against another. */
export function medianRatio(ours: readonly number[], theirs: readonly number[]): number {
  return median(ours.map((value, round) => value / (theirs[round] ?? Number.NaN)));
}
