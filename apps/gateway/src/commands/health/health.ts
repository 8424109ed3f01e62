import { readFile } from "node:fs/promises";
import { oneLine } from "../../one-line.ts";
import { type Command, parseCommandLine, UsageError } from "../command.ts";
import { probe } from "./probe.ts";
import { type HealthTarget, targetOfConfiguration, targetOfUrl } from "./target.ts";

export const health: Command = {
  name: "health",
  synopsis: "[--config FILE | --url URL]",
  summary: "ask a running gateway whether it is ready",
  details: [
    "  -c, --config FILE  the configuration of the gateway; says where to ask",
    "  --url URL          where to ask: http://, https:// or unix:/path; /readyz if it has no path",
    "",
    "Asks /readyz of the admin listener, at 127.0.0.1:9043 without any option. If the configuration has no admin, asks",
    "listen.healthPath, or only connects to listen.address. A certificate is not verified, and no password is sent. Gives",
    "up after 3 seconds. It is made for HEALTHCHECK.",
    "",
    "Exit code: 0 if the gateway is ready, or else 1.",
  ],
  async run(parameters) {
    const target = await targetIn(parameters);
    const { ready, text } = await probe(target);
    if (ready) process.stdout.write(`${text}\n`);
    else process.stderr.write(`registry-gate: ${text}\n`);
    return ready ? 0 : 1;
  },
};

async function targetIn(parameters: readonly string[]): Promise<HealthTarget> {
  const { values, positionals } = parseCommandLine({
    args: [...parameters],
    options: { config: { type: "string", short: "c" }, url: { type: "string" } },
    allowPositionals: true,
  });
  const { config, url } = values;
  if (positionals[0] !== undefined) throw new UsageError(`unexpected ${positionals[0]}`);
  if (url !== undefined && config !== undefined) throw new UsageError("--config and --url exclude each other");
  if (url !== undefined) {
    const target = targetOfUrl(url);
    if (target === undefined) throw new UsageError("--url must be http://…, https://… or unix:/path");
    return target;
  }
  if (config === undefined) return targetOfConfiguration({ admin: {} }, ".");
  return targetOfFile(config);
}

async function targetOfFile(file: string): Promise<HealthTarget> {
  // All the rest of a configuration has no meaning here, and checking it would take longer than asking.
  const [{ parseDocument }, { expandEnvironment }] = await Promise.all([
    import("yaml"),
    import("../../config/expand.ts"),
  ]);
  let written: unknown;
  try {
    written = parseDocument(await readFile(file, "utf8"), { version: "1.2", merge: true }).toJS({ maxAliasCount: 100 });
  } catch (error) {
    return { kind: "unknown", reason: `cannot read ${file}: ${oneLine(error)}` };
  }
  return targetOfConfiguration(expandEnvironment(written, process.env).value, file);
}
