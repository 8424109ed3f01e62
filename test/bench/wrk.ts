import { fileURLToPath } from "node:url";
import { run } from "../support/run.ts";
import type { Contender } from "./contender.ts";
import { processorSeconds } from "./process-usage.ts";

/** What many equal requests came to. */
export interface Load {
  /** Requests a second. */
  readonly rate: number;
  /** Latencies in milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Processor time of the contender for a request, in microseconds. */
  readonly processor: number;
}

export interface LoadSettings {
  readonly path: string;
  /** How many connections ask at the same time. */
  readonly connections: number;
  readonly seconds: number;
}

/** Without it docker-registry would try to send an image of this kind in another form. */
const accept = "Accept: application/vnd.docker.distribution.manifest.v2+json";

const script = fileURLToPath(new URL("wrk-report.lua", import.meta.url));

/** Loads a contender with `GET` by wrk, in a process of its own. @throws where any response was not a success. A rate of 0: none came in time. */
export async function load(contender: Contender, settings: LoadSettings): Promise<Load> {
  const { path, connections, seconds } = settings;
  const before = await processorSeconds(contender.pid);
  const output = await run("wrk", [
    ...["-t", "1", "-c", `${connections}`, "-d", `${seconds}s`, "--timeout", "60s", "-s", script, "-H", accept],
    ...Object.entries(contender.headers).flatMap(([name, value]) => ["-H", `${name}: ${value}`]),
    contender.url + path,
  ]);
  const used = (await processorSeconds(contender.pid)) - before;
  const report: unknown = JSON.parse(output.trimEnd().split("\n").at(-1) ?? "");
  const number = (name: string): number => {
    const value = typeof report === "object" && report !== null ? Reflect.get(report, name) : undefined;
    if (typeof value !== "number") throw new Error(`wrk does not say ${name}:\n${output}`);
    return value;
  };
  const requests = number("requests");
  if (number("failed") > 0) throw new Error(`${contender.name} failed under load:\n${output}`);
  return {
    rate: requests / (number("microseconds") / 1e6),
    p50: number("p50") / 1000,
    p99: number("p99") / 1000,
    processor: (used / requests) * 1e6,
  };
}
