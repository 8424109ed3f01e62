import type { DiagnosisStep } from "@registry-gate/auth";
import { oneLine } from "../one-line.ts";

/** What came of a step. */
export type Finding = Pick<DiagnosisStep, "outcome" | "about" | "details">;

/** Takes a step; what it throws is the reason that it failed. */
export async function timedStep(step: string, target: string, act: () => Promise<Finding>): Promise<DiagnosisStep> {
  const start = performance.now();
  const finding = await act().catch(
    (error: unknown): Finding => ({ outcome: "failed", about: "backend", details: { reason: oneLine(error) } }),
  );
  return { step, target, milliseconds: performance.now() - start, ...finding };
}
