import type { CertificateFiles } from "../../support/certificate.ts";
import { type Campaign, caseOf } from "../grammar/campaigns.ts";
import { dependsOnTime, signatureOf, type Violation } from "../judge/violation.ts";
import { findCause } from "./find-cause.ts";
import type { Finding } from "./finding.ts";
import type { CaseViolation, Stage } from "./stage.ts";
import { stageKeeper } from "./stage-keeper.ts";

export interface FuzzSettings {
  readonly campaign: Campaign;
  /** Of the first case; the others follow it. */
  readonly seed: number;
  /** It ends after so many cases, or after so many milliseconds. */
  readonly cases: number;
  readonly milliseconds: number;
  /** TLS on both sides. Plain HTTP by default. */
  readonly certificate?: CertificateFiles | undefined;
  /** How long to look for the one case behind a violation, in milliseconds. */
  readonly shrinking: number;
  /** Called for each new one. Ends the run by returning false. */
  readonly found: (finding: Finding) => boolean;
  /** Is told how far it is, after each batch. */
  readonly progress?: (course: Course) => void;
}

/** How a run went. */
export interface Course {
  readonly cases: number;
  /** Violations by their signature. */
  readonly violations: ReadonlyMap<string, number>;
  /** Requests that the registry was asked to do, by method and action. */
  readonly done: ReadonlyMap<string, number>;
  /** Requests of ordinary clients that were judged. */
  readonly ordinary: number;
  /** What the gate's memory grew by since the first cases, in MiB, at most. */
  readonly memoryGrowth: number;
}

const batchSize = 96;
/** Batches between two looks at the memory. */
const memoryEvery = 10;
/** What it may grow by, in MiB: heaps grow and shrink, what is held goes beyond. */
export const mostGrowth = 128;

export async function fuzz(settings: FuzzSettings): Promise<Course> {
  const { campaign, certificate, found, progress } = settings;
  const keeper = stageKeeper(certificate);
  const violations = new Map<string, number>();
  const done = new Map<string, number>();
  let ordinary = 0;
  let memoryGrowth = 0;
  let ran = 0;
  const begun = performance.now();
  const course = (): Course => ({ cases: ran, violations, done, ordinary, memoryGrowth });

  async function memoryHeld(stage: Stage): Promise<CaseViolation[]> {
    const growth = await stage.memoryGrowth();
    memoryGrowth = Math.max(memoryGrowth, growth);
    if (growth <= mostGrowth) return [];
    const text = `${growth.toFixed(0)} MiB more than after the first cases`;
    return [{ kind: "held", text, markers: [], suspects: [] }];
  }

  async function batch(first: number, count: number): Promise<boolean> {
    const stage = await keeper.stage();
    const before = { ordinary: stage.ordinaryServed(), done: new Map(stage.judge.done) };
    const seeds = Array.from({ length: count }, (_, index) => first + index);
    const result = await stage.run(seeds.map((seed) => caseOf(campaign, seed)));
    ordinary += stage.ordinaryServed() - before.ordinary;
    for (const [name, total] of stage.judge.done) {
      done.set(name, (done.get(name) ?? 0) + total - (before.done.get(name) ?? 0));
    }
    const seen = [...result.violations];
    // The first look is what the others are compared with.
    if (seen.length === 0 && ran % (memoryEvery * batchSize) === 0) seen.push(...(await memoryHeld(stage)));
    const log = [...stage.lastLines()];
    const fresh = new Map<string, CaseViolation>();
    for (const violation of seen.toSorted((a, b) => weight(b) - weight(a))) {
      const signature = signatureOf(violation);
      if (!violations.has(signature)) fresh.set(signature, violation);
      violations.set(signature, (violations.get(signature) ?? 0) + 1);
    }
    // What follows from a fault is not looked at.
    const [worst] = fresh.values();
    const reported = worst?.kind === "gate-fault" ? [worst] : [...fresh.values()];
    for (const violation of reported) {
      const suspects = violation.suspects.map((index) => first + index);
      // A request that it was seen at tells the case.
      const others = violation.markers.length === 0 ? seeds.toReversed() : [];
      const order = [...new Set([...suspects, ...others])];
      const cause = await findCause(campaign, order, violation, keeper, settings.shrinking);
      if (cause === undefined && dependsOnTime(violation)) {
        violations.delete(signatureOf(violation));
        continue;
      }
      const where = cause === undefined ? { first, count } : { first: cause.seed, count: 1 };
      const simplest = cause?.simplest;
      const tls = certificate !== undefined;
      if (!found({ campaign, tls, violation, seeds: where, suspects, simplest, log })) return false;
    }
    return true;
  }

  try {
    while (ran < settings.cases && performance.now() - begun < settings.milliseconds) {
      const count = Math.min(batchSize, settings.cases - ran);
      const goOn = await batch(settings.seed + ran, count);
      ran += count;
      progress?.(course());
      if (!goOn) break;
    }
    for (const violation of await memoryHeld(await keeper.stage())) {
      violations.set(signatureOf(violation), 1);
      const seeds = { first: settings.seed, count: ran };
      found({ campaign, tls: certificate !== undefined, violation, seeds, suspects: [], simplest: undefined, log: [] });
    }
    return course();
  } finally {
    await keeper.renew();
  }
}

/** What is certain comes before what a loaded machine may bring about, and a fault before what follows from it. */
function weight(violation: Violation): number {
  if (violation.kind === "gate-fault") return 2;
  return dependsOnTime(violation) ? 0 : 1;
}
