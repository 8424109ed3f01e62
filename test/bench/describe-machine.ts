import { readFile } from "node:fs/promises";
import { availableParallelism, cpus, loadavg, release, totalmem } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { findProgram } from "../programs/find-program.ts";
import { isProgramName } from "../programs/programs.ts";
import { versionOf } from "../programs/version-of.ts";
import type { Machine } from "./machine.ts";

/** How long the cores are watched, in milliseconds. */
const watched = 500;

const participants = ["nginx", "wrk", "curl", "oauth2-proxy", "distribution", "docker-registry", "slapd", "openssl"];

/** Describes this machine, and watches for half a second how busy it is. */
export async function describeMachine(): Promise<Machine> {
  const [load = 0] = loadavg();
  return {
    cores: availableParallelism(),
    processor: cpus()[0]?.model ?? "unknown",
    memory: Math.round(totalmem() / 2 ** 20),
    linux: release(),
    node: process.versions.node,
    programs: versions(),
    load,
    busy: await busyShare(),
  };
}

function versions(): Record<string, string> {
  const found = participants.filter(isProgramName).filter((name) => findProgram(name) !== undefined);
  const numbers = found.map((name) => [name, /\d+(\.\d+)+/.exec(versionOf(name) ?? "")?.[0]] as const);
  return Object.fromEntries(numbers.flatMap(([name, version]) => (version === undefined ? [] : [[name, version]])));
}

async function busyShare(): Promise<number> {
  const before = await ticks();
  await delay(watched);
  const after = await ticks();
  return 1 - (after.idle - before.idle) / (after.all - before.all);
}

/** Of all cores, what other virtual machines took of them included (proc_stat(5)). */
async function ticks(): Promise<{ readonly idle: number; readonly all: number }> {
  const [line = ""] = (await readFile("/proc/stat", "utf8")).split("\n");
  // Those of guests are in those of users already.
  const [user = 0, nice = 0, system = 0, idle = 0, waiting = 0, ...others] = line.split(/\s+/).slice(1, 9).map(Number);
  return { idle: idle + waiting, all: others.reduce((sum, each) => sum + each, user + nice + system + idle + waiting) };
}
