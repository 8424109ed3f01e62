import type { SoakReport } from "./soak.ts";

/** A report in words. */
export function formatReport(report: SoakReport): string {
  const pushes = report.writes.filter(({ event }) => event === "push").length;
  const list = (entries: ReadonlyMap<string | number, number>): string =>
    [...entries].map(([name, count]) => `${name} ${count}`).join(", ");
  return [
    `${report.minutes} minutes: ${pushes} pushes, ${report.writes.length - pushes} deletions and ${report.pulls} pulls`,
    `responses: ${list(report.statuses)}`,
    `disturbances: ${list(report.disturbances)}`,
    `${report.images} images were pulled at the end; the audit has ${report.auditLines} lines`,
    report.violations.length === 0 ? "nothing was violated" : `violations: ${report.violations.length}`,
    ...report.violations,
  ].join("\n");
}
