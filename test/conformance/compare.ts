import type { TestResult } from "./report.ts";

/** Tests of one name that went otherwise through the gate. */
export interface Difference {
  readonly name: string;
  /** What was seen only on this way, one entry a test. */
  readonly direct: readonly string[];
  readonly throughGate: readonly string[];
}

/**
 * Compares two runs of the suite test by test: outcome, and requests and responses. Tests of one name, and the
 * questions in a test, are compared as sets, because the suite takes some of them in an order of chance.
 */
export function compareRuns(direct: readonly TestResult[], throughGate: readonly TestResult[]): Difference[] {
  const left = byName(direct);
  const right = byName(throughGate);
  const differences: Difference[] = [];
  for (const name of new Set([...left.keys(), ...right.keys()])) {
    const onlyDirect = [...(left.get(name) ?? [])];
    const onlyGate: string[] = [];
    for (const seen of right.get(name) ?? []) {
      const at = onlyDirect.indexOf(seen);
      if (at === -1) onlyGate.push(seen);
      else onlyDirect.splice(at, 1);
    }
    if (onlyDirect.length + onlyGate.length > 0) differences.push({ name, direct: onlyDirect, throughGate: onlyGate });
  }
  return differences;
}

function byName(results: readonly TestResult[]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const result of results) {
    const group = groups.get(result.name) ?? [];
    group.push([result.outcome, ...result.exchanges.toSorted()].join("\n      "));
    groups.set(result.name, group);
  }
  return groups;
}
