import { stat } from "node:fs/promises";
import { type Fault, formatFault, InvalidOptionsError, type Logger, type LogLine } from "@registry-gate/auth";
import type { Configuration } from "../config/configuration.ts";
import type { Gate } from "../gate/gate.ts";
import { loadGate } from "../gate/load-gate.ts";
import { warningsOf } from "../warnings/warnings.ts";
import { tryBackends, tryRegistry, tryState } from "./check-connect.ts";
import { type Command, parseCommandLine, UsageError } from "./command.ts";
import { configHelp, configOption, reportFaults, requireConfig } from "./config-file.ts";

export const check: Command = {
  name: "check",
  synopsis: "--config FILE [--connect [--user USER]]",
  summary: "find every fault in a configuration, and warn of risks",
  details: [
    configHelp,
    "  --connect          try every backend, the registry and a Redis as well, and print each step with its time",
    "  --user USER        sign USER in; the password is asked for, or is the first line of standard input. Where it is",
    "                     empty, USER is only looked up",
    "",
    "Reads every file that is named in it, and connects to nothing without --connect. Faults and warnings are lines on",
    "standard error: the file, the path of the key, and what is wrong there.",
    "",
    "Exit code: 0, or 1 where there is a fault, a step failed, or no backend lets USER in.",
  ],
  async run(parameters) {
    const { file, connect, user } = parse(parameters);
    const told: string[] = [];
    let gate: Gate | undefined;
    try {
      ({ gate } = await loadGate(file, () => ({ log: collectingLog(told), onRequest: () => {} })));
      const { configuration } = gate;
      const warnings = [...warningsOf(gate), ...(await exposedKey(configuration))];
      for (const text of [...told, ...warnings.map(formatFault)]) process.stderr.write(`${file}: warning: ${text}\n`);
      const failures = connect
        ? [
            ...(await tryBackends(gate.backends, user)),
            ...(await tryRegistry(configuration.upstream)),
            ...(await tryState(configuration.state)),
          ]
        : [];
      for (const failure of failures) process.stderr.write(`${file}: ${failure}\n`);
      if (failures.length > 0) return 1;
      process.stdout.write(`${file}: ok\n`);
      return 0;
    } catch (error) {
      if (!(error instanceof InvalidOptionsError)) throw error;
      for (const text of told) process.stderr.write(`${file}: warning: ${text}\n`);
      reportFaults(file, error.faults);
      return 1;
    } finally {
      await gate?.retire();
    }
  },
};

function parse(parameters: readonly string[]): { file: string; connect: boolean; user: string | undefined } {
  const { values, positionals } = parseCommandLine({
    args: [...parameters],
    options: { ...configOption, connect: { type: "boolean" }, user: { type: "string" } },
    allowPositionals: true,
  });
  const file = requireConfig(values, positionals);
  const { connect = false, user } = values;
  if (user !== undefined && !connect) throw new UsageError("--user needs --connect");
  return { file, connect, user };
}

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
