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
    "  --connect          also try every backend, the registry and a Redis; print each step with its time",
    "  --user USER        sign in as USER with a password from a prompt, or from the first line of standard input. If it",
    "                     is empty, USER is only looked up",
    "",
    "Reads every file that the configuration names, and opens no connection without --connect. Prints each fault and",
    "warning as a line on standard error: the file, the path of the key, and the message.",
    "",
    "Exit code: 0; 1 if there is a fault, a step failed, or no backend accepts USER.",
  ],
  async run(parameters) {
    const { file, connect, user } = parse(parameters);
    const logged: string[] = [];
    let gate: Gate | undefined;
    try {
      ({ gate } = await loadGate(file, () => ({
        ...{ log: collectingLog(logged), onRequest: () => {} },
        inspectAudit: true,
      })));
      const { configuration } = gate;
      const warnings = [...(await warningsOf(gate)), ...(await exposedKey(configuration))];
      for (const text of [...logged, ...warnings.map(formatFault)]) process.stderr.write(`${file}: warning: ${text}\n`);
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
      for (const text of logged) process.stderr.write(`${file}: warning: ${text}\n`);
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

/** Collects the warnings that backends log while they are opened. */
function collectingLog(messages: string[]): Logger {
  const silent: LogLine = () => {};
  const collect: LogLine = (fields, message) => {
    const { file, line, lines } = fields;
    const where = typeof file === "string" ? `${file}${describeLines(line ?? lines)}: ` : "";
    messages.push(`${where}${message}`);
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
  return [{ path: ["listen", "tls", "key"], message: "every user of this machine can read or change it" }];
}
