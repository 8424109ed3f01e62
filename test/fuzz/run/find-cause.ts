import type { FuzzCase } from "../case/fuzz-case.ts";
import { type Campaign, caseOf } from "../grammar/campaigns.ts";
import { signatureOf, type Violation } from "../judge/violation.ts";
import { simplify } from "./simplify.ts";
import type { StageKeeper } from "./stage-keeper.ts";

/** One case that shows a violation by itself. */
export interface Cause {
  readonly seed: number;
  readonly simplest: FuzzCase;
}

/** What depends on a moment is tried so often. */
const attempts = 3;

/**
 * Runs the cases alone, in their order, until one shows the violation again, and makes that one as simple as it goes.
 *
 * @param limit Milliseconds for all of it.
 * @returns `undefined` where none shows it in that time.
 */
export async function findCause(
  campaign: Campaign,
  seeds: readonly number[],
  violation: Violation,
  keeper: StageKeeper,
  limit: number,
): Promise<Cause | undefined> {
  const deadline = performance.now() + limit;
  const signature = signatureOf(violation);
  const shows = async (fuzzCase: FuzzCase): Promise<boolean> => {
    const stage = await keeper.stage();
    const { violations } = await stage.run(Array.from({ length: attempts }, () => fuzzCase));
    return violations.some((found) => signatureOf(found) === signature);
  };
  for (const seed of seeds) {
    if (performance.now() > deadline) return undefined;
    const whole = caseOf(campaign, seed);
    if (await shows(whole)) return { seed, simplest: await simplify(whole, shows, deadline) };
  }
  return undefined;
}
