import type { DiagnosisStep } from "@registry-gate/auth";

/** One line, and below it what there are several of. */
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

/** What is said of a step that has failed. */
export function failureText(step: DiagnosisStep): string {
  const { reason } = step.details;
  const why = typeof reason === "string" ? printable(reason) : "no reason given";
  return `${step.step} failed: ${why} (${step.target})`;
}

/** What a server says goes to a terminal, which control characters could lead astray. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Bidi_Control}]/gu, "\ufffd");
}
