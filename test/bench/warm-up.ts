import type { Contender } from "./contender.ts";
import { giveAllCores, giveOwnCore } from "./cores.ts";
import type { Scale } from "./scale.ts";
import { type LoadSettings, load } from "./wrk.ts";

/**
 * After how many requests of a kind a gate is warm. What Node compiles late, it compiles by how often it has run: on an idle
 * machine this takes two to three seconds of small reads.
 */
const enough = 25_000;
/** How long it is loaded until it is looked at again, in seconds. */
const slice = 1;

/**
 * Loads the gates among the contenders that are not warm yet for such requests, at the same time and on all cores, so that
 * what compiles does so beside what runs. Others need no warm-up.
 *
 * @returns a note for each that had not had enough requests when its time was over.
 */
export async function warmUp(
  contenders: readonly Contender[],
  settings: Pick<LoadSettings, "request" | "connections">,
  scale: Pick<Scale, "warmUp" | "progress">,
): Promise<string[]> {
  const cold = contenders.filter((contender) => contender.warmFor?.has(kindOf(contender, settings)) === false);
  if (cold.length === 0) return [];
  scale.progress("warming up");
  const notes = await Promise.all(
    cold.map(async (contender) => {
      if (contender.workers === undefined) await giveAllCores(contender.pid);
      // Each process compiles for itself.
      const wanted = enough * (contender.workers ?? 1);
      const seconds = 2 * scale.warmUp;
      const start = performance.now();
      let requests = 0;
      while (requests < wanted && performance.now() - start < seconds * 1000) {
        requests += (await load(contender, { ...settings, seconds: slice })).rate * slice;
      }
      contender.warmFor?.add(kindOf(contender, settings));
      if (requests >= wanted) return [];
      return [`${contender.name} may not be warm: ${Math.round(requests)} requests in ${seconds} s, of ${wanted}`];
    }),
  );
  for (const { pid, workers } of cold) if (workers === undefined) await giveOwnCore(pid);
  return notes.flat();
}

/** The code that runs is that of the request and of how it logs in. */
function kindOf({ headers }: Contender, { request }: Pick<LoadSettings, "request">): string {
  return JSON.stringify([headers, request]);
}
