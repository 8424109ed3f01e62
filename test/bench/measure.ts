import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { makeCertificate } from "../support/certificate.ts";
import { buildGate } from "./built-gate.ts";
import { leaveCore } from "./cores.ts";
import { describeMachine } from "./describe-machine.ts";
import type { Findings } from "./findings.ts";
import { busyWarning } from "./machine.ts";
import type { Options } from "./options.ts";
import { isFailed, runParts } from "./part.ts";
import { createProgress } from "./progress.ts";
import { formatFindings } from "./report.ts";
import type { RunRecord } from "./run-record.ts";
import { isLate, quick, type Scale, whole } from "./scale.ts";
import { createSharing } from "./shared-gate.ts";

/**
 * Runs the parts one after the other, and writes what each has found as soon as it has.
 *
 * @param keep Takes the run so far, before the first step and after each.
 */
export async function measure(
  options: Pick<Options, "parts" | "quick" | "everything">,
  output: { write(text: string): unknown },
  keep: (run: RunRecord) => Promise<void>,
): Promise<RunRecord> {
  const startedAt = new Date().toISOString();
  const machine = await describeMachine();
  const warning = busyWarning(machine);
  if (warning !== undefined) process.stderr.write(`${warning}\n`);
  const progress = createProgress(process.stderr, options.parts.length, () => performance.now());
  await buildGate();
  const started = performance.now();
  const elapsed = (): number => (performance.now() - started) / 1000;
  await leaveCore();
  const certificate = await makeCertificate();
  const shared = createSharing();
  const sizes = options.quick ? quick : whole;
  const findings: Findings[] = [];
  const leavesOut = options.quick && options.everything;
  const run = (): RunRecord => ({
    schema: "registry-gate-bench",
    version: 1,
    startedAt,
    seconds: Math.round(elapsed() * 10) / 10,
    quick: options.quick,
    machine,
    findings,
  });
  const scaleOf = (stepsLeft: number): Scale => {
    const rounds = options.quick && isLate(elapsed(), stepsLeft) ? 1 : sizes.rounds;
    return { ...sizes, rounds, certificate, progress: progress.now, leavesOut, shared };
  };
  const found = async (those: readonly Findings[]): Promise<void> => {
    findings.push(...those);
    // Whatever failed, it may have been this gate.
    if (those.some(isFailed)) await shared.close();
    progress.clear();
    for (const each of those) output.write(`${formatFindings(each)}\n`);
    await keep(run());
  };
  try {
    // Where it cannot be kept, nothing needs to be measured.
    await keep(run());
    await runParts(options.parts, { scaleOf, found }, progress);
  } finally {
    progress.clear();
    await shared.close();
    await rm(dirname(certificate.certificate), { recursive: true, force: true });
  }
  return run();
}
