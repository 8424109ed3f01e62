import type { Contender } from "./contender.ts";
import type { Column, Findings, Limit, Row } from "./findings.ts";
import { interleave, ratios } from "./rounds.ts";
import type { Scale } from "./scale.ts";
import { warmUp } from "./warm-up.ts";
import { type Load, type LoadSettings, load } from "./wrk.ts";

/** Columns of {@link loadRow}. */
const loadColumns: readonly Column[] = [
  { id: "rate", label: "requests/s", digits: 0, better: "more" },
  { id: "ratio", label: "first ÷ it", digits: 2 },
  { id: "p50", label: "p50 ms", digits: 2, better: "less" },
  { id: "p99", label: "p99 ms", digits: 2, better: "less" },
  { id: "processor", label: "CPU µs", digits: 0, better: "less" },
  { id: "memory", label: "peak MiB", digits: 0, better: "less" },
];

/** What is asked of whom. */
export interface LoadComparison {
  readonly id: string;
  /** Without the number of connections. */
  readonly title: string;
  /** The one that the others are compared with first. */
  readonly contenders: readonly Contender[];
  readonly request: LoadSettings["request"];
  readonly connections: number;
  /** @param loads Of each contender, in their order; those with the same index are of one round. */
  readonly limits?: (loads: readonly (readonly Load[])[]) => readonly Limit[];
  readonly notes?: readonly string[];
}

/** Warms all contenders up, and then loads them in interleaved rounds. */
export async function compareLoads(comparison: LoadComparison, scale: Scale): Promise<Findings> {
  const { id, title, contenders, connections, limits } = comparison;
  const { loads, notes: ofWarmUp } = await measureLoads(comparison, scale);
  const notes = [...(comparison.notes ?? []), ...ofWarmUp];
  return {
    id,
    title: `${title}, ${connections} connections`,
    columns: loadColumns,
    rows: contenders.map((contender, index) => loadRow(contender, loads[index] ?? [], loads[0] ?? [])),
    limits: limits?.(loads) ?? [],
    ...(notes.length > 0 && { notes }),
  };
}

/** Loads of several contenders. */
export interface Loads {
  /** Of each contender, in their order; those with the same index are of one round. */
  readonly loads: readonly (readonly Load[])[];
  /** What a reader has to know of their warm-up. */
  readonly notes: readonly string[];
}

/** Warms all contenders up, and then loads them in interleaved rounds. */
export async function measureLoads(
  { contenders, request, connections }: Pick<LoadComparison, "contenders" | "request" | "connections">,
  scale: Scale,
): Promise<Loads> {
  const notes = await warmUp(contenders, { request, connections }, scale);
  const loads = await interleave(contenders, scale, (contender) =>
    load(contender, { request, connections, seconds: scale.seconds }),
  );
  return { loads, notes };
}

/** @param first What the first contender of the comparison came to in the same rounds. */
export function loadRow({ name, own }: Contender, loads: readonly Load[], first: readonly Load[]): Row {
  return {
    name,
    ...(own === true && { own }),
    samples: {
      rate: loads.map(({ rate }) => rate),
      ratio: rateRatios(first, loads),
      p50: loads.map(({ p50 }) => p50),
      p99: loads.map(({ p99 }) => p99),
      processor: loads.map(({ processor }) => processor),
      memory: loads.map(({ memory }) => memory),
    },
  };
}

/** What each round by itself says about the rate of one contender against another's. */
export function rateRatios(ours: readonly Load[] = [], theirs: readonly Load[] = []): number[] {
  return ratios(
    ours.map(({ rate }) => rate),
    theirs.map(({ rate }) => rate),
  );
}
