import { InvalidOptionsError } from "@registry-gate/auth";
import { inspectConfiguration } from "../config/load.ts";
import { printableJson } from "../printable.ts";
import { linesOf, linesOfFile } from "../read-lines.ts";
import { auditFiles } from "../why/audit-files.ts";
import { type FoundRequest, findRequest, type WantedRequest } from "../why/find-request.ts";
import { storyOf } from "../why/story.ts";
import { type Command, parseCommandLine, UsageError } from "./command.ts";
import { configOption, reportFaults } from "./config-file.ts";

/** What stands for it in the place of a file. */
const standardInput = "-";

export const why: Command = {
  name: "why",
  synopsis: "{ID | --user USER} [--config FILE] [--log FILE …] [FILE … | -] [--json]",
  summary: "tell from the log and the audit what happened to a request, and what to do",
  details: [
    "  --log FILE  a log or an audit of the gateway; may be repeated, or named without --log. - is standard input",
    "  -c, --config FILE  a configuration: the audit that it names is read too, with its rotated files",
    "  --user USER the last request of USER that was not allowed or failed, where nobody has its id",
    "  --json      print the lines of the request instead, one JSON object a line",
    "",
    "ID is the X-Request-Id of the response; some clients show it as requestId in an error. Files may be compressed",
    "by gzip, of any size, and as Docker, Kubernetes or journald keep them:",
    "",
    "  registry-gate why 6f1c6f0e-2d6c-4f0e-9c39-0d3f9a2f6a53 --log gate.log gate.log.1.gz",
    "  registry-gate why --user alice --config registry-gate.yaml",
    "  journalctl --unit registry-gate --output cat | registry-gate why 6f1c6f0e-2d6c-4f0e-9c39-0d3f9a2f6a53 -",
    "",
    "Prints who asked for what, what was decided and why, what backends and the registry did meanwhile, and what to do.",
    "",
    "Exit code: 0; 1 if nothing of the request is found, or if a file cannot be read, or if there is none to read.",
  ],
  async run(parameters) {
    const { wanted, config, named, json } = parse(parameters);
    let sources = named;
    if (config !== undefined) {
      const audits = await auditsOf(config, named);
      if (audits === undefined) return 1;
      // First, so that the lines of the log about the same request and about later ones follow.
      sources = [...new Set([...audits, ...named])];
    }
    const found = await findRequest(wanted, linesOfAll(sources));
    if (found === undefined) {
      const request =
        "id" in wanted ? `the request ${wanted.id}` : `a request of ${wanted.user} that was not allowed or failed`;
      process.stderr.write(`registry-gate: why: nothing of ${request} in ${sources.join(", ")}\n`);
      return 1;
    }
    process.stdout.write(json ? asJson(found) : storyOf(found));
    return 0;
  },
};

/**
 * @param named What is read besides: where that is enough, the audit need not be a file.
 * @returns `undefined` where it was said on standard error why there are none.
 */
async function auditsOf(config: string, named: readonly string[]): Promise<readonly string[] | undefined> {
  try {
    const inspected = await inspectConfiguration(config, process.env);
    const files = await auditFiles(inspected);
    // Faults elsewhere do not matter: a gate goes on with its former configuration.
    if (files.length > 0) return files;
    const faults = inspected.faults.filter(({ path: [section] }) => section === undefined || section === "audit");
    if (faults.length === 0 && named.length > 0) return [];
    reportFaults(config, faults.length > 0 ? faults : [{ path: ["audit"], message: "names no file" }]);
  } catch (error) {
    if (!(error instanceof InvalidOptionsError)) throw error;
    reportFaults(config, error.faults);
  }
  return undefined;
}

async function* linesOfAll(sources: readonly string[]): AsyncGenerator<string> {
  for (const source of sources) {
    yield* source === standardInput ? linesOf(process.stdin) : linesOfFile(source);
  }
}

function asJson({ entries }: FoundRequest): string {
  return entries.map((entry) => `${printableJson(entry)}\n`).join("");
}

interface Question {
  readonly wanted: WantedRequest;
  readonly config: string | undefined;
  /** Files, or {@link standardInput}. */
  readonly named: readonly string[];
  readonly json: boolean;
}

function parse(parameters: readonly string[]): Question {
  const { values, positionals } = parseCommandLine({
    args: [...parameters],
    allowPositionals: true,
    options: {
      ...configOption,
      log: { type: "string", multiple: true },
      user: { type: "string" },
      json: { type: "boolean" },
    },
  });
  const { config, user, json = false } = values;
  const [id] = positionals;
  if (id === undefined && user === undefined) throw new UsageError("ID or --user USER is required");
  const files = user === undefined ? positionals.slice(1) : positionals;
  const named = [...new Set([...(values.log ?? []), ...files])];
  if (named.length === 0 && config === undefined) {
    throw new UsageError("name a log with --log FILE, or - for standard input, or --config FILE for its audit");
  }
  const wanted = user === undefined ? { id: id ?? "" } : { user: user.normalize("NFC") };
  return { wanted, config, named, json };
}
