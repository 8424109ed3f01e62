import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { makeCertificate } from "../support/certificate.ts";
import { leaveCore } from "./cores.ts";
import { describeMachine } from "./describe-machine.ts";
import type { Findings } from "./findings.ts";
import { busyWarning } from "./machine.ts";
import type { Options } from "./options.ts";
import { runStep } from "./part.ts";
import { createProgress } from "./progress.ts";
import { formatFindings } from "./report.ts";
import type { RunRecord } from "./run-record.ts";
import { quick, quickSeconds, whole } from "./scale.ts";

/** Runs the parts one after the other, and writes what each has found as soon as it has. */
export async function measure(
  options: Pick<Options, "parts" | "quick">,
  output: { write(text: string): unknown },
): Promise<RunRecord> {
  const started = performance.now();
  const startedAt = new Date().toISOString();
  const machine = await describeMachine();
  const warning = busyWarning(machine);
  if (warning !== undefined) process.stderr.write(`${warning}\n`);
  await leaveCore();
  const progress = createProgress(process.stderr, options.parts.length, () => performance.now());
  const certificate = await makeCertificate();
  const sizes = options.quick ? quick : whole;
  const findings: Findings[] = [];
  const total = options.parts.reduce((sum, { steps }) => sum + steps.length, 0);
  let done = 0;
  // Each step may take its share of the time, and what those before it have left.
  const isLate = (): boolean =>
    options.quick && performance.now() - started > (quickSeconds * 1000 * (done + 0.8)) / total;
  try {
    for (const { name, steps } of options.parts) {
      progress.begin(name);
      for (const [index, step] of steps.entries()) {
        const scale = { ...sizes, certificate, progress: progress.now, isLate };
        const found = await runStep(`${name}.${index + 1}`, () => step(scale));
        findings.push(...found);
        done++;
        progress.clear();
        for (const each of found) output.write(`${formatFindings(each)}\n`);
      }
      progress.end();
    }
  } finally {
    progress.clear();
    await rm(dirname(certificate.certificate), { recursive: true, force: true });
  }
  const seconds = Math.round((performance.now() - started) / 100) / 10;
  return { schema: "registry-gate-bench", version: 1, startedAt, seconds, quick: options.quick, machine, findings };
}
