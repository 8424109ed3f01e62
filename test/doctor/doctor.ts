import { runGate } from "../gateway/run-gate.ts";

/** What `registry-gate doctor --json` says. */
export interface Diagnosis {
  readonly code: number | null;
  readonly outcome: unknown;
  readonly steps: readonly { readonly step: string; readonly outcome: string; readonly details: Details }[];
  readonly findings: readonly DiagnosedFinding[];
  /** The kinds of findings, in order. */
  readonly ids: readonly string[];
}

type Details = Readonly<Record<string, string>>;

export interface DiagnosedFinding {
  readonly id: string;
  readonly severity: string;
  readonly seen: string;
  readonly breaks: string;
  readonly mend: string;
}

export const user = "alice";
export const password = "the-password-of-alice";

/** Whether somebody else's registry, at a usual port of this machine, is what was found. */
function isOthers({ id, seen }: DiagnosedFinding): boolean {
  return id === "registry-open" && /localhost:500[01]\b|127\.0\.0\.1:500[01]\b/.test(seen);
}

/**
 * Runs the command as {@link user}; each finding of it has what a user needs. A registry that happens to run at a usual port of
 * this machine is left out.
 */
export async function doctor(parameters: readonly string[], typed: string = password): Promise<Diagnosis> {
  const { code, stdout, stderr } = await runGate(["doctor", "--json", "--user", user, ...parameters], {
    input: `${typed}\n`,
  });
  if (stderr !== "") throw new Error(stderr);
  const { outcome, steps, findings }: Omit<Diagnosis, "code" | "ids"> = JSON.parse(stdout);
  const own = findings.filter((finding) => !isOthers(finding));
  return { code, outcome, steps, findings: own, ids: own.map(({ id }) => id) };
}

/** The details of a step. */
export function detailsOf({ steps }: Diagnosis, step: string): Details | undefined {
  return steps.find((taken) => taken.step === step)?.details;
}
