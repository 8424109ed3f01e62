import type { DiagnosisStep } from "@registry-gate/auth";
import { printable } from "../printable.ts";

/** One line for a step, and below it a line for each item of its lists. */
export function stepText(step: DiagnosisStep): string {
  const { outcome, step: name, milliseconds, details } = step;
  const found = Object.entries(details).flatMap(([key, value]) => {
    if (typeof value !== "string") return [];
    return key === "reason" ? [printable(value)] : [`${key} ${printable(value)}`];
  });
  const took = `${Math.round(milliseconds)} ms`;
  const head = `    ${outcome.padEnd(6)}  ${name.padEnd(13)} ${took.padStart(8)}  ${found.join(", ")}`;
  const lists = Object.values(details).flatMap((value) =>
    typeof value === "string" ? [] : value.map((item) => `${" ".repeat(14)}- ${printable(item)}`),
  );
  return [head.trimEnd(), ...lists, ""].join("\n");
}
