import type { FuzzCase } from "../case/fuzz-case.ts";
import type { Campaign } from "../grammar/campaigns.ts";
import type { Violation } from "../judge/violation.ts";

/** A violation, and how it comes about. */
export interface Finding {
  readonly campaign: Campaign;
  readonly tls: boolean;
  readonly violation: Violation;
  /** The seeds of the cases that ran: one, where that is enough. */
  readonly seeds: { readonly first: number; readonly count: number };
  /** Of those, the seeds of the cases at which it was seen. */
  readonly suspects: readonly number[];
  /** The simplest case that was found to show it; `undefined` where no single one did. */
  readonly simplest: FuzzCase | undefined;
  /** The end of the gate's log. */
  readonly log: readonly string[];
}

/** The command that shows it again. */
export function commandFor({ campaign, tls, seeds }: Finding): string {
  return `npx --yes pnpm@12 fuzz ${campaign} --seed ${seeds.first} --cases ${seeds.count}${tls ? " --tls" : ""}`;
}

export function formatFinding(finding: Finding): string {
  const { violation, simplest, log, seeds, suspects } = finding;
  return [
    `${violation.kind}: ${violation.text.trim()}`,
    "",
    `reproduce: ${commandFor(finding)}`,
    ...(simplest === undefined
      ? [
          `no single case shows it: it took some of the ${seeds.count} together, or a moment that did not come again`,
          `it was seen at the seeds ${suspects.join(", ")}`,
        ]
      : ["simplest case:", abridged(JSON.stringify(simplest))]),
    ...(violation.kind === "gate-fault" ? ["end of the log:", ...log.slice(-5)] : []),
    "",
  ].join("\n");
}

/** Without what only repeats itself: the kept case has it all. */
function abridged(text: string): string {
  return text.replace(/(.{1,12}?)\1{40,}/g, (all, unit: string) => `${unit}<${all.length / unit.length} times>`);
}
