import { median } from "./rounds.ts";

/** What a part of the benchmark has measured: rows of figures, each with all of its samples, and limits. */
export interface Findings {
  /** The same in every run, so that runs can be compared: such as `reads.tls.64`. */
  readonly id: string;
  readonly title: string;
  /** The first is the one that is drawn. */
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  readonly limits: readonly Limit[];
  /** What a reader has to know, such as a peer that is missing on this machine. */
  readonly notes?: readonly string[];
}

export interface Column {
  /** The same in every run. */
  readonly id: string;
  /** With its unit, such as `p99 ms`. */
  readonly label: string;
  /** Digits behind the point. */
  readonly digits: number;
  /** Which way is better. Absent: neither, so that runs are not compared by it. */
  readonly better?: "more" | "less";
}

export interface Row {
  /** Of a contender, a size or a step; unique in its findings. */
  readonly name: string;
  /** The gate's own, which stands out in charts. */
  readonly own?: boolean;
  /** By the id of the column; one figure a round. A column that is absent here was not measured. */
  readonly samples: Readonly<Record<string, readonly number[]>>;
}

/** A figure that must keep to a bound. */
export interface Limit {
  readonly name: string;
  /** One a round. Their median is what is judged. */
  readonly samples: readonly number[];
  readonly bound: Bound;
}

export type Bound = { readonly atLeast: number } | { readonly atMost: number };

/** @param samples One figure, or one a round. */
export function atLeast(bound: number, name: string, samples: number | readonly number[]): Limit {
  return { name, samples: typeof samples === "number" ? [samples] : samples, bound: { atLeast: bound } };
}

/** @param samples One figure, or one a round. */
export function atMost(bound: number, name: string, samples: number | readonly number[]): Limit {
  return { name, samples: typeof samples === "number" ? [samples] : samples, bound: { atMost: bound } };
}

/** What is judged. Not a number where nothing was measured: that keeps no bound. */
export function judgedValue({ samples }: Pick<Limit, "samples">): number {
  return median(samples);
}

export function isKept(limit: Limit): boolean {
  const value = judgedValue(limit);
  return "atLeast" in limit.bound ? value >= limit.bound.atLeast : value <= limit.bound.atMost;
}
