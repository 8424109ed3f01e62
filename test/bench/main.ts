import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { makeCertificate } from "../support/certificate.ts";
import { leaveCore } from "./cores.ts";
import type { Findings } from "./findings.ts";
import type { Part } from "./part.ts";
import { parts } from "./parts.ts";
import { createProgress } from "./progress.ts";
import { formatFindings, missedLimits } from "./report.ts";
import { quick, type Sizes, whole } from "./scale.ts";

const width = Math.max(...parts.map(({ name }) => name.length));
const usage = `usage: npx --yes pnpm@12 bench [--quick] [PART ...]

Compares the gate with nginx by Docker's recipe and with other proxies, side by side on this machine: read the ratios.
Ends with 1 where one of the limits is missed.

  --quick  everything within two minutes: shorter, smaller, and of several numbers of connections the first

PART is any of these; by default all of them:

${parts.map(({ name, about }) => `  ${name.padEnd(width)}  ${about}`).join("\n")}
`;

async function run(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { quick: { type: "boolean" }, help: { type: "boolean" } },
  });
  if (values.help === true) {
    process.stdout.write(usage);
    return 0;
  }
  const unknown = positionals.filter((name) => !parts.some((part) => part.name === name));
  if (unknown.length > 0) throw new TypeError(`no such part: ${unknown.join(", ")}`);
  const chosen = positionals.length === 0 ? parts : parts.filter(({ name }) => positionals.includes(name));
  const missed = missedLimits(await measure(chosen, values.quick === true ? quick : whole)).length;
  process.stdout.write(missed === 0 ? "every limit is kept\n" : `limits missed: ${missed}\n`);
  return missed === 0 ? 0 : 1;
}

/** Runs the parts one after the other, and prints what each has found as soon as it has. */
async function measure(chosen: readonly Part[], sizes: Sizes): Promise<Findings[]> {
  await leaveCore();
  const progress = createProgress(process.stderr, chosen.length, () => performance.now());
  const certificate = await makeCertificate();
  const all: Findings[] = [];
  try {
    for (const { name, steps } of chosen) {
      progress.begin(name);
      for (const step of steps) {
        const findings = await step({ ...sizes, certificate, progress: progress.now });
        all.push(findings);
        progress.clear();
        process.stdout.write(`${formatFindings(findings)}\n`);
      }
      progress.end();
    }
    return all;
  } finally {
    progress.clear();
    await rm(dirname(certificate.certificate), { recursive: true, force: true });
  }
}

try {
  process.exitCode = await run();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = error instanceof TypeError ? 2 : 1;
}
