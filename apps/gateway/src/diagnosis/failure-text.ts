import type { DiagnosisStep } from "@registry-gate/auth";
import { printable } from "../printable.ts";

/** The message of a failed step. */
export function failureText(step: DiagnosisStep): string {
  const { reason } = step.details;
  const why = typeof reason === "string" ? printable(reason) : "no reason given";
  return `${step.step} failed: ${why} (${step.target})`;
}
