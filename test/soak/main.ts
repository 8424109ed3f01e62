import { parseArgs } from "node:util";
import { formatReport } from "./report.ts";
import { soak } from "./soak.ts";

const usage = `usage: npx --yes pnpm@12 soak [--minutes N]

People push and pull through two replicas without pause, while configuration, certificates and password files are
swapped, and while the directory, Redis, the registry, workers and a replica are killed and started again. Ends with 1
where anything was lost, was served to somebody else, is missing in the audit, or where a process grew.

  --minutes N  how long; 60 by default
`;

async function run(): Promise<number> {
  const { values } = parseArgs({ options: { minutes: { type: "string" }, help: { type: "boolean" } } });
  if (values.help === true) {
    process.stdout.write(usage);
    return 0;
  }
  const minutes = Number(values.minutes ?? 60);
  if (!(minutes > 0)) throw new TypeError("--minutes takes a number above 0");
  const report = await soak(minutes, (words) =>
    process.stdout.write(`${new Date().toISOString().slice(11, 19)} ${words}\n`),
  );
  process.stdout.write(`${formatReport(report)}\n`);
  return report.violations.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await run();
} catch (error) {
  if (!(error instanceof TypeError)) throw error;
  process.stderr.write(`${error.message}\n\n${usage}`);
  process.exitCode = 2;
}
