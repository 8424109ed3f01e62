import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { startable } from "../programs/startable.ts";
import type { Contender } from "./contender.ts";
import { forgetPeak, peakMemoryOfTree, processorSecondsOfTree } from "./process-usage.ts";

/** What many requests came to. */
export interface Load {
  /** Requests a second. */
  readonly rate: number;
  /** Latencies in milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Processor time of the contender for a request, in microseconds. */
  readonly processor: number;
  /** The contender's peak of resident memory meanwhile, in MiB. */
  readonly memory: number;
}

export interface LoadRequest {
  readonly path: string;
  /** Default: `GET`. */
  readonly method?: string;
  /** Beside those of the contender and `Host`; they win over the contender's. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface LoadSettings {
  /** One, or several that are sent in turn. */
  readonly request: LoadRequest | readonly LoadRequest[];
  /** How many connections ask at the same time. */
  readonly connections: number;
  /** Need not be whole. */
  readonly seconds: number;
}

/** Without it docker-registry would try to send an image of this kind in another form. */
const accept = "application/vnd.docker.distribution.manifest.v2+json";

const script = fileURLToPath(new URL("wrk-report.lua", import.meta.url));

/**
 * Loads a contender by wrk, in a process of its own.
 *
 * @throws where any response was not a success. A rate of 0: none came in time, and nothing else can be told.
 */
export async function load(contender: Contender, settings: LoadSettings): Promise<Load> {
  const { connections, seconds } = settings;
  const requests = [settings.request].flat();
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-wrk-"));
  try {
    const file = join(directory, "requests");
    await writeFile(file, Buffer.concat(requests.map((request) => prepare(contender, request))));
    await forgetPeak(contender.pid);
    const before = await processorSecondsOfTree(contender.pid);
    const output = await runWrk(contender.url, connections, seconds, file);
    const used = (await processorSecondsOfTree(contender.pid)) - before;
    const report: unknown = JSON.parse(output.trimEnd().split("\n").at(-1) ?? "");
    const number = (name: string): number => {
      const value = typeof report === "object" && report !== null ? Reflect.get(report, name) : undefined;
      if (typeof value !== "number") throw new Error(`wrk does not say ${name}:\n${output}`);
      return value;
    };
    const done = number("requests");
    if (number("failed") > 0) throw new Error(`${contender.name} failed under load:\n${output}`);
    const nothing = { rate: 0, p50: Number.NaN, p99: Number.NaN, processor: Number.NaN };
    const memory = await peakMemoryOfTree(contender.pid);
    if (done === 0) return { ...nothing, memory };
    return {
      rate: done / (number("microseconds") / 1e6),
      p50: number("p50") / 1000,
      p99: number("p99") / 1000,
      processor: (used / done) * 1e6,
      memory,
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The request as it goes over the wire, behind its length. */
function prepare(contender: Contender, { path, method = "GET", headers, body }: LoadRequest): Buffer {
  const content = Buffer.from(body ?? "");
  const lines = Object.entries({
    Host: new URL(contender.url).host,
    Accept: accept,
    ...contender.headers,
    ...(method !== "GET" && { "Content-Length": `${content.length}` }),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
  return Buffer.concat([Buffer.from(`${head.length + content.length}\n`), head, content]);
}

/** wrk counts in whole seconds, but ends with a report where it is interrupted. */
async function runWrk(url: string, connections: number, seconds: number, requests: string): Promise<string> {
  const parameters = ["-t", "1", "-c", `${connections}`, "-d", "600s", "--timeout", "60s", "-s", script, url];
  const child = spawn(startable("wrk"), parameters, { env: { ...process.env, BENCH_REQUESTS: requests } });
  const interrupt = setTimeout(() => child.kill("SIGINT"), seconds * 1000);
  const closed = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  try {
    const [output, problems, code] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
    if (code !== 0) throw new Error(`wrk ended with ${code}\n${output}${problems}`);
    return output;
  } finally {
    clearTimeout(interrupt);
  }
}
