import { parseArgs } from "node:util";
import type { Part } from "./part.ts";

/** What was asked for. */
export interface Options {
  readonly help: boolean;
  readonly quick: boolean;
  /** Whether the parts are all that there are. */
  readonly everything: boolean;
  /** In the order in which they are run; none where earlier runs are read and no part was named. */
  readonly parts: readonly Part[];
  /** A file, or `-` for the standard output. */
  readonly json: string | undefined;
  /** The file of an earlier run. */
  readonly compare: string | undefined;
  /** Files of earlier runs that are reported too. */
  readonly from: readonly string[];
  /** The file of the page. */
  readonly report: string | undefined;
  /** A page of documentation that has the marks for the tables. */
  readonly markdown: string | undefined;
}

/** The command line, or what a file that it names has, is wrong. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export function usageOf(parts: readonly Part[]): string {
  const width = Math.max(...parts.map(({ name }) => name.length));
  return `usage: npx --yes pnpm@12 bench [options] [PART ...]

Measures the gate beside nginx with Docker's recipe and other proxies, in turns on this machine: read the ratios. Every
figure is the median of the rounds, from the least to the most of them. Ends with 1 where a limit is missed, and with 2
where the command line is wrong.

  --quick            everything within two minutes: shorter rounds, smaller bodies, one number of connections, and
                     without what needs long, unless parts are named
  --json FILE        write the run as JSON, after each step what there is so far; - is the standard output, at the end, and
                     the tables then go to the standard error
  --compare EARLIER  compare with the run in this file of --json: a table of ratios, with a mark at what is worse by
                     more than the rounds of both are apart
  --report FILE      write one page of HTML with charts, which needs nothing from elsewhere
  --markdown FILE    put the tables into this page, between the marks <!-- pnpm bench: begin --> and end
  --from EARLIER     report the run in this file of --json as well, and measure only the parts that are named; can be
                     repeated, to make one report of runs of single parts
  --help             print this text

PART is any of these; by default all of them:

${parts.map(({ name, about }) => `  ${name.padEnd(width)}  ${about}`).join("\n")}

Progress goes to the standard error. The figures need an otherwise idle machine; where it is busy, a warning says so.
oauth2-proxy and distribution are built by Go the first time, and left out with a note where Go is missing.
`;
}

/**
 * @param parts All that there are.
 * @throws {UsageError}
 */
export function readOptions(parameters: readonly string[], parts: readonly Part[]): Options {
  const { values, positionals } = parse(parameters);
  const unknown = positionals.filter((name) => !parts.some((part) => part.name === name));
  if (unknown.length > 0) throw new UsageError(`no such part: ${unknown.join(", ")}`);
  const { help = false, quick = false, json, compare, report, markdown, from = [] } = values;
  const all = positionals.length === 0 && from.length === 0;
  return {
    ...{ help, quick, json, compare, report, markdown, from },
    everything: all,
    parts: all ? parts : parts.filter(({ name }) => positionals.includes(name)),
  };
}

const options = {
  help: { type: "boolean" },
  quick: { type: "boolean" },
  json: { type: "string" },
  compare: { type: "string" },
  report: { type: "string" },
  markdown: { type: "string" },
  from: { type: "string", multiple: true },
} as const;

function parse(
  args: readonly string[],
): ReturnType<typeof parseArgs<{ options: typeof options; allowPositionals: true }>> {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : `${error}`, { cause: error });
  }
}
