import { parentPort, workerData } from "node:worker_threads";
import { readConfiguration } from "./parse.ts";
import type { ReadApart, ReadingTask } from "./read-apart.ts";
import type { AccessConfiguration } from "./sections/access.ts";

/** Reads one configuration, and ends. */
function read({ text, environment }: ReadingTask): ReadApart {
  const { configuration, ...rest } = readConfiguration(text, environment);
  if (configuration === undefined) return { ...rest, configuration: undefined, access: undefined };
  const { access, ...others } = configuration;
  return { ...rest, configuration: others, access: access && inPieces(access) };
}

/** So many rules are copied in a millisecond or less. */
const piece = 250;

function inPieces(access: AccessConfiguration): string[] {
  const count = Math.ceil(access.length / piece);
  return Array.from({ length: count }, (_, at) => JSON.stringify(access.slice(at * piece, (at + 1) * piece)));
}

parentPort?.postMessage(read(workerData));
