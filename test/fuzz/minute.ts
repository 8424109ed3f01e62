import { expect } from "vitest";
import { makeCertificate } from "../support/certificate.ts";
import type { Campaign } from "./grammar/campaigns.ts";
import { formatFinding } from "./run/finding.ts";
import { type Course, fuzz, mostGrowth } from "./run/fuzz.ts";

/** How long a campaign runs, in milliseconds, where its cases do not end it before. */
const milliseconds = 30_000;
const cases = 480;
/** How long to look for the one case behind a violation. */
const shrinking = 90_000;

/** Of all of a test, in milliseconds: the campaign, starting and ending its servers, and finding a cause. */
export const minuteTimeout: number = milliseconds + shrinking + 120_000;

/** The part of a campaign that runs with every test, and fails with the first violation. */
export async function runMinute(campaign: Campaign, seed: number, tls: boolean): Promise<Course> {
  const findings: string[] = [];
  const course = await fuzz({
    campaign,
    seed,
    cases,
    milliseconds,
    certificate: tls ? await makeCertificate() : undefined,
    shrinking,
    found(finding) {
      findings.push(formatFinding(finding));
      return false;
    },
  });
  expect(findings.join("\n"), `seeds from ${seed}`).toBe("");
  // Were nothing passed on, or nobody served meanwhile, nothing would have been shown.
  expect(course.cases).toBeGreaterThan(50);
  expect(course.ordinary).toBeGreaterThan(100);
  for (const kind of ["GET pull", "PUT push", "POST push", "PATCH push", "DELETE delete"]) {
    expect(course.done.get(kind), kind).toBeGreaterThan(0);
  }
  expect(course.memoryGrowth).toBeLessThan(mostGrowth);
  return course;
}
