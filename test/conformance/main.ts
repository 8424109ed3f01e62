/**
 * Runs the conformance suite of the OCI distribution specification against registries and, each time, through the gate in
 * front of an identical fresh one, and compares the two runs test by test. Exits 1 where they differ, other than is intended
 * and listed, or where the embedded registry fails a test.
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildGoProgram } from "../programs/build-go-program.ts";
import { howToGet } from "../programs/how-to-get.ts";
import { lackOf } from "../programs/lack.ts";
import { programs } from "../programs/programs.ts";
import type { Difference } from "./compare.ts";
import { compareRuns } from "./compare.ts";
import { type Challenge, startOpenGate } from "./gate.ts";
import { judge } from "./intended-differences.ts";
import type { RegistryKind } from "./registries.ts";
import { registryKinds } from "./registries.ts";
import type { TestResult } from "./report.ts";
import { outcomes } from "./report.ts";
import { runSuite } from "./suite.ts";

interface Run {
  readonly results: readonly TestResult[];
  readonly seconds: number;
}

/** Runs the suite against a fresh registry, with the gate in front of it or, without a challenge, none. */
async function runAgainst(kind: RegistryKind, challenge?: Challenge): Promise<Run> {
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-conformance-"));
  try {
    await mkdir(join(directory, "registry"));
    const registry = await kind.start(join(directory, "registry"));
    try {
      if (challenge === undefined) return await timed(() => runSuite(registry));
      const gate = await startOpenGate(registry.address, challenge);
      return await timed(() => runSuite(gate)).finally(() => gate.close());
    } finally {
      await registry.close();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function timed(suite: () => Promise<TestResult[]>): Promise<Run> {
  const start = performance.now();
  const results = await suite();
  return { results, seconds: (performance.now() - start) / 1000 };
}

const challenges: readonly Challenge[] = ["basic", "bearer"];
const columns = ["registry", "way", ...outcomes, "total", "seconds"];

function row(cells: readonly string[]): string {
  return cells.map((cell, index) => (index < 2 ? cell.padEnd(16) : cell.padStart(9))).join("");
}

function summary(kind: RegistryKind, way: string, { results, seconds }: Run): string {
  const counts = outcomes.map((outcome) => results.filter((result) => result.outcome === outcome).length);
  return row([kind.name, way, ...[...counts, results.length].map(String), seconds.toFixed(1)]);
}

function printDifference({ name, direct, throughGate }: Difference): void {
  console.log(`  ${name}`);
  for (const seen of direct) console.log(`    direct:       ${seen}`);
  for (const seen of throughGate) console.log(`    through gate: ${seen}`);
}

function failuresOf({ results }: Run): TestResult[] {
  return results.filter(({ outcome }) => outcome === "failure" || outcome === "error");
}

async function main(): Promise<boolean> {
  if (lackOf("oci-conformance") === "needs Go") {
    console.log(`conformance: not run: ${howToGet(programs["oci-conformance"])}`);
    return true;
  }
  await buildGoProgram("oci-conformance");
  let good = true;
  console.log(row(columns));
  for (const kind of registryKinds) {
    const direct = await runAgainst(kind);
    console.log(summary(kind, "direct", direct));
    const failures = kind.conforms ? failuresOf(direct) : [];
    for (const { name, message } of failures) console.log(`  ${name} failed: ${message}`);
    if (failures.length > 0) good = false;
    for (const challenge of challenges) {
      if (!(await compareThroughGate(kind, direct, challenge))) good = false;
    }
  }
  return good;
}

/** @returns whether the registry is the same through the gate, but for what is intended. */
async function compareThroughGate(kind: RegistryKind, direct: Run, challenge: Challenge): Promise<boolean> {
  const throughGate = await runAgainst(kind, challenge);
  console.log(summary(kind, `gate, ${challenge}`, throughGate));
  const { intended, unexpected, stale } = judge(kind.name, compareRuns(direct.results, throughGate.results));
  console.log(`  ${unexpected.length} unexpected differences, ${intended.length} intended`);
  unexpected.forEach(printDifference);
  for (const { difference, reason } of intended) {
    console.log(`  intended: ${reason}`);
    printDifference(difference);
  }
  for (const test of stale) console.log(`  ${test} was to differ, and does not`);
  return unexpected.length + stale.length === 0;
}

try {
  if (!(await main())) process.exitCode = 1;
} catch (error) {
  console.error(`conformance: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
