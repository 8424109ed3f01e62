import { readFile } from "node:fs/promises";
import { keepRun } from "./keep-run.ts";
import { measure } from "./measure.ts";
import { readOptions, UsageError, usageOf } from "./options.ts";
import { parts } from "./parts.ts";
import { present } from "./present.ts";
import { formatFindings } from "./report.ts";
import { joinRuns, parseRun, type RunRecord } from "./run-record.ts";

async function run(parameters: readonly string[]): Promise<number> {
  const options = readOptions(parameters, parts);
  if (options.help) {
    process.stdout.write(usageOf(parts));
    return 0;
  }
  // What can fail before hours of measuring does.
  const before = options.compare === undefined ? undefined : await readRun(options.compare);
  const earlier = await Promise.all(options.from.map(readRun));
  // A run may be ended before its time.
  const keep = async (run: RunRecord): Promise<void> => {
    if (options.json !== undefined && options.json !== "-") {
      await keepRun(options.json, joined([...earlier, run]));
    }
  };
  // The standard output is for the JSON alone, where that goes there.
  const output = options.json === "-" ? process.stderr : process.stdout;
  const measured = options.parts.length > 0 ? [await measure(options, output, keep)] : [];
  const record = joined([...earlier, ...measured]);
  for (const { findings } of earlier) for (const each of findings) output.write(`${formatFindings(each)}\n`);
  return present(record, { ...options, before }, output);
}

function joined([first, ...others]: readonly RunRecord[]): RunRecord {
  if (first === undefined) throw new UsageError("nothing to report");
  return joinRuns([first, ...others]);
}

async function readRun(file: string): Promise<RunRecord> {
  try {
    return parseRun(await readFile(file, "utf8"));
  } catch (error) {
    throw new UsageError(`${file}: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
// A step that did not end must not keep the command from ending.
setTimeout(() => process.exit(), 10_000).unref();
