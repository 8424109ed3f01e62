import type { ExaminedStep } from "../doctor/examination.ts";
import type { Finding } from "../doctor/finding.ts";
import { printable, printableJson } from "../printable.ts";
import { stepText } from "./step-text.ts";

/** What an examination has come to. */
export interface Report {
  /** The gate. */
  readonly url: string;
  readonly user: string | undefined;
  readonly steps: readonly ExaminedStep[];
}

/** A group of lines for a finding: what was seen, what that breaks, and what to change. */
function findingText({ id, severity, seen, breaks, mend }: Finding): string {
  return [
    `${severity}: ${id}`,
    `  seen    ${printable(seen)}`,
    `  breaks  ${breaks}`,
    `  change  ${printable(mend)}`,
    "",
  ].join("\n");
}

/** Prints steps one by one, each below the target that it shares with those before it. */
export function stepPrinter(write: (text: string) => void): (step: ExaminedStep) => void {
  let target: string | undefined;
  return (step) => {
    if (step.target !== target) write(`  ${printable(step.target)}\n`);
    ({ target } = step);
    write(stepText(step));
  };
}

/** Each kind once, as it was found first. */
function findingsOf({ steps }: Report): readonly Finding[] {
  const findings = new Map<string, Finding>();
  for (const finding of steps.flatMap((step) => step.findings)) {
    if (!findings.has(finding.id)) findings.set(finding.id, finding);
  }
  return [...findings.values()];
}

/** Whether every step has ended well; warnings are none of its business. */
export function isHealthy({ steps }: Report): boolean {
  return steps.every(({ outcome }) => outcome === "ok");
}

/** All findings, and one line to sum them up. */
export function summaryText(report: Report): string {
  const findings = findingsOf(report);
  const failures = findings.filter(({ severity }) => severity === "failed").length;
  const counts = `${report.steps.length} steps, ${failures} failures, ${findings.length - failures} warnings`;
  const verdict = isHealthy(report) ? "ok" : "failed";
  return ["", ...findings.map(findingText), `${report.url}: ${verdict} (${counts})`, ""].join("\n");
}

export function reportJson(report: Report): string {
  const { url, user, steps } = report;
  const result = {
    outcome: isHealthy(report) ? "ok" : "failed",
    ...{ url, user: user ?? null },
    steps: steps.map(({ step, target, outcome, milliseconds, details }) => ({
      ...{ step, target, outcome, details },
      milliseconds: Math.round(milliseconds),
    })),
    findings: findingsOf(report),
  };
  return `${printableJson(result, 2)}\n`;
}
