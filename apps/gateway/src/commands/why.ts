import { printableJson } from "../printable.ts";
import { linesOf, linesOfFile } from "../read-lines.ts";
import { type FoundRequest, findRequest, type WantedRequest } from "../why/find-request.ts";
import { storyOf } from "../why/story.ts";
import { type Command, parseCommandLine, UsageError } from "./command.ts";

/** What stands for it in the place of a file. */
const standardInput = "-";

export const why: Command = {
  name: "why",
  synopsis: "{ID | --user USER} [--log FILE …] [FILE … | -] [--json]",
  summary: "tell from the log and the audit what happened to a request, and what to do",
  details: [
    "  --log FILE  a log or an audit of the gateway; may be repeated, or named without --log. - is standard input",
    "  --user USER the last request of USER that was not allowed, where nobody has its id",
    "  --json      print the lines of the request instead, one JSON object a line",
    "",
    "ID is the X-Request-Id of the response; some clients show it as requestId in an error. Files may be compressed",
    "by gzip, of any size, and as Docker, Kubernetes or journald keep them:",
    "",
    "  registry-gate why 6f1c6f0e-2d6c-4f0e-9c39-0d3f9a2f6a53 --log gate.log gate.log.1.gz",
    "  journalctl --unit registry-gate --output cat | registry-gate why 6f1c6f0e-2d6c-4f0e-9c39-0d3f9a2f6a53 -",
    "",
    "Prints who asked for what, what was decided and why, what backends and the registry did meanwhile, and what to do.",
    "",
    "Exit code: 0; 1 if nothing of the request is found, or if a file cannot be read.",
  ],
  async run(parameters) {
    const { wanted, sources, json } = parse(parameters);
    const found = await findRequest(wanted, linesOfAll(sources));
    if (found === undefined) {
      const request = "id" in wanted ? `the request ${wanted.id}` : `a request of ${wanted.user} that was not allowed`;
      process.stderr.write(`registry-gate: why: nothing of ${request} in ${sources.join(", ")}\n`);
      return 1;
    }
    process.stdout.write(json ? asJson(found) : storyOf(found));
    return 0;
  },
};

async function* linesOfAll(sources: readonly string[]): AsyncGenerator<string> {
  for (const source of sources) {
    yield* source === standardInput ? linesOf(process.stdin) : linesOfFile(source);
  }
}

function asJson({ entries }: FoundRequest): string {
  return entries.map((entry) => `${printableJson(entry)}\n`).join("");
}

function parse(parameters: readonly string[]): { wanted: WantedRequest; sources: readonly string[]; json: boolean } {
  const { values, positionals } = parseCommandLine({
    args: [...parameters],
    allowPositionals: true,
    options: { log: { type: "string", multiple: true }, user: { type: "string" }, json: { type: "boolean" } },
  });
  const { user, json = false } = values;
  const [id] = positionals;
  if (id === undefined && user === undefined) throw new UsageError("ID or --user USER is required");
  const files = user === undefined ? positionals.slice(1) : positionals;
  const sources = [...new Set([...(values.log ?? []), ...files])];
  if (sources.length === 0) throw new UsageError("name a log with --log FILE, or - for standard input");
  const wanted = user === undefined ? { id: id ?? "" } : { user: user.normalize("NFC") };
  return { wanted, sources, json };
}
