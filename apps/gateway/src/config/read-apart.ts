import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { inTurns, type Steps } from "@registry-gate/auth-kit";
import type { Configuration } from "./configuration.ts";
import { type ReadConfiguration, readConfiguration } from "./parse.ts";
import type { AccessConfiguration } from "./sections/access.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** What the thread is given. */
export interface ReadingTask {
  readonly text: string;
  readonly environment: Environment;
}

/** What it makes of that: a {@link ReadConfiguration} whose rules are pieces of JSON, to be read in turns. */
export interface ReadApart extends Omit<ReadConfiguration, "configuration"> {
  readonly configuration: Omit<Configuration, "access"> | undefined;
  readonly access: readonly string[] | undefined;
}

/** The source runs as it is under type stripping, and compiled beside this file. */
const isSource = import.meta.url.endsWith(".ts");
const program = new URL(isSource ? "./reading-thread.ts" : "./reading-thread.js", import.meta.url);

/** From what length on a thread is worth it, in characters: a shorter text takes a few milliseconds. */
const worthAThread = 4096;

/** Reads a configuration, as `readConfiguration` does, and holds up nothing: a long one is read by another thread. */
export async function readApart(text: string, environment: Environment): Promise<ReadConfiguration> {
  if (text.length < worthAThread) return readConfiguration(text, environment);
  const task: ReadingTask = { text, environment: { ...environment } };
  const worker = new Worker(program, {
    workerData: task,
    name: "configuration",
    // Other flags of the process, such as --input-type, would be refused or change what the thread is.
    execArgv: isSource ? ["--conditions=development"] : [],
  });
  const [read] = await once(worker, "message");
  return inTurns(joined(read));
}

function* joined({ configuration, access, ...rest }: ReadApart): Steps<ReadConfiguration> {
  if (configuration === undefined || access === undefined) return { ...rest, configuration };
  const rules: AccessConfiguration[number][] = [];
  for (const piece of access) {
    yield;
    const some: AccessConfiguration = JSON.parse(piece);
    rules.push(...some);
  }
  return { ...rest, configuration: { ...configuration, access: rules } };
}
