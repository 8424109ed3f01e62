import { z } from "zod";
import type { Findings } from "./findings.ts";
import type { Machine } from "./machine.ts";

/** A run, as `--json` writes it and `--compare` and `--from` read it: test/bench/README.md describes it. */
export interface RunRecord {
  readonly schema: "registry-gate-bench";
  /** Goes up where something of what readers know changes its meaning or goes away. */
  readonly version: 1;
  /** When it began, by RFC 3339. */
  readonly startedAt: string;
  /** How long it took. */
  readonly seconds: number;
  readonly quick: boolean;
  readonly machine: Machine;
  readonly findings: readonly Findings[];
}

/** JSON has no figure for what is not a number. */
const figures = z
  .array(
    z
      .number()
      .nullable()
      .transform((value) => value ?? Number.NaN),
  )
  .readonly();

export const recordSchema = z.object({
  schema: z.literal("registry-gate-bench"),
  version: z.literal(1),
  startedAt: z.string(),
  seconds: z.number(),
  quick: z.boolean(),
  machine: z.object({
    cores: z.number(),
    processor: z.string(),
    memory: z.number(),
    linux: z.string(),
    node: z.string(),
    programs: z.record(z.string(), z.string()),
    load: z.number(),
    busy: z.number(),
  }),
  findings: z.array(
    z.object({
      id: z.string(),
      title: z.string(),
      columns: z.array(
        z.object({
          id: z.string(),
          label: z.string(),
          digits: z.int().min(0).max(20),
          better: z.enum(["more", "less"]).exactOptional(),
        }),
      ),
      rows: z.array(
        z.object({
          name: z.string(),
          own: z.boolean().exactOptional(),
          samples: z.record(z.string(), figures),
        }),
      ),
      limits: z.array(
        z.object({
          name: z.string(),
          samples: figures,
          bound: z.union([z.strictObject({ atLeast: z.number() }), z.strictObject({ atMost: z.number() })]),
        }),
      ),
      notes: z.array(z.string()).exactOptional(),
    }),
  ),
});

/** @throws {TypeError} where the text is not a run of a version that is known here, with what is wrong. */
export function parseRun(text: string): RunRecord {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new TypeError(`not JSON: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
  const result = recordSchema.safeParse(value);
  if (!result.success) throw new TypeError(`not a run of pnpm bench:\n${z.prettifyError(result.error)}`);
  return result.data;
}

export function formatRun(run: RunRecord): string {
  return `${JSON.stringify(run, undefined, 1)}\n`;
}

/** One run of several: of findings that are in more than one, the last counts. */
export function joinRuns(runs: readonly [RunRecord, ...RunRecord[]]): RunRecord {
  const [first] = runs;
  const findings = new Map(runs.flatMap((run) => run.findings.map((each) => [each.id, each])));
  return {
    ...first,
    seconds: runs.reduce((sum, { seconds }) => sum + seconds, 0),
    quick: runs.some((run) => run.quick),
    machine: runs.reduce((worst, { machine }) => (machine.busy > worst.busy ? machine : worst), first.machine),
    findings: [...findings.values()],
  };
}
