import type { DiagnosisStep } from "@registry-gate/auth";
import { oneLine } from "../one-line.ts";
import type { Finding, FindingId } from "./finding.ts";
import { findingKinds } from "./finding-kinds.ts";

/** One step of an examination, with what was found in it. */
export interface ExaminedStep extends DiagnosisStep {
  readonly findings: readonly Finding[];
  /** Whether the step did not come to its end, so that nothing can follow that needs it. */
  readonly broken: boolean;
}

/** The details of a step, each one line. */
export type Details = Readonly<Record<string, string>>;

/** Collects findings, step by step. */
export interface Examination {
  /** Adds a finding to the current step; each kind is added once. `authority` is filled in for `HOST:PORT`. */
  readonly report: (id: FindingId, seen: string) => void;
  /** Takes a step. What it throws ends it; it has failed as well if it reports a finding of the severity `failed`. */
  take(step: string, act: () => Promise<Details>, about?: DiagnosisStep["about"]): Promise<ExaminedStep>;
}

/** What a finding explains: its consequences are none of their own. */
const consequences: Partial<Record<FindingId, FindingId>> = {
  "authorization-lost": "login-rejected",
  cached: "login-rejected",
};

/** Ends a step whose finding has been reported. */
export class StepEnd extends Error {
  override readonly name = "StepEnd";
}

/**
 * @param target What steps are about: the URL of the gate.
 * @param authority Its host and port.
 */
export function createExamination(target: string, authority: string): Examination {
  const known = new Set<FindingId>();
  let findings: Finding[] = [];
  return {
    report(id, seen) {
      if (known.has(id)) return;
      known.add(id);
      const consequence = consequences[id];
      if (consequence !== undefined) {
        known.add(consequence);
        findings = findings.filter((finding) => finding.id !== consequence);
      }
      const { severity, breaks, mend } = findingKinds[id];
      findings.push({ id, severity, seen, breaks, mend: mend.replaceAll("HOST:PORT", authority) });
    },
    async take(step, act, about = "backend") {
      const start = performance.now();
      findings = [];
      let details: Details = {};
      let broken: string | undefined;
      try {
        details = await act();
      } catch (error) {
        broken = oneLine(error);
      }
      const failure = findings.find(({ severity }) => severity === "failed")?.seen ?? broken;
      return {
        ...{ step, target, about, findings, broken: broken !== undefined },
        outcome: failure === undefined ? "ok" : "failed",
        milliseconds: performance.now() - start,
        details: failure === undefined ? details : { ...details, reason: failure },
      };
    },
  };
}
