import { stat } from "node:fs/promises";
import { type Fault, formatFault, InvalidOptionsError, type Logger, type LogLine } from "@registry-gate/auth";
import type { Configuration } from "../config/configuration.ts";
import { loadGate } from "../server/load-gate.ts";
import { riskWarnings } from "../server/risks.ts";
import type { Command } from "./command.ts";
import { configFile, configHelp } from "./config-file.ts";
import { reportFaults } from "./report.ts";

export const check: Command = {
  name: "check",
  synopsis: "--config FILE",
  summary: "find every fault in a configuration, and warn of risks",
  details: [
    configHelp,
    "",
    "Reads every file that is named in it, and connects to nothing. Faults and warnings are lines on standard error: the",
    "file, the path of the key, and what is wrong there.",
    "",
    "Exit code: 0, or 1 where there is a fault.",
  ],
  async run(parameters) {
    const file = configFile(parameters);
    const told: string[] = [];
    try {
      const { gate } = await loadGate(file, () => ({ log: collectingLog(told), onRequest: () => {} }));
      await gate.retire();
      const { configuration } = gate;
      const warnings = [
        ...gate.warnings,
        ...riskWarnings(configuration, gate.tls),
        ...(await exposedKey(configuration)),
      ];
      for (const text of [...told, ...warnings.map(formatFault)]) process.stderr.write(`${file}: warning: ${text}\n`);
      process.stdout.write(`${file}: ok\n`);
      return 0;
    } catch (error) {
      if (!(error instanceof InvalidOptionsError)) throw error;
      for (const text of told) process.stderr.write(`${file}: warning: ${text}\n`);
      reportFaults(file, error.faults);
      return 1;
    }
  },
};

/** What backends say of their files while they are opened. */
function collectingLog(told: string[]): Logger {
  const silent: LogLine = () => {};
  const collect: LogLine = (fields, message) => {
    const { file, line, lines } = fields;
    const where = typeof file === "string" ? `${file}${describeLines(line ?? lines)}: ` : "";
    told.push(`${where}${message}`);
  };
  return { debug: silent, info: silent, warn: collect, error: collect };
}

function describeLines(lines: unknown): string {
  if (typeof lines === "number") return `, line ${lines}`;
  return Array.isArray(lines) ? `, lines ${lines.join(", ")}` : "";
}

async function exposedKey({ listen: { tls } }: Configuration): Promise<Fault[]> {
  if (tls === undefined) return [];
  const { mode } = await stat(tls.key);
  if ((mode & 0o007) === 0) return [];
  return [{ path: ["listen", "tls", "key"], message: "can be read or changed by every user of this machine" }];
}
