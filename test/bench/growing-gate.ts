import { hash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Action } from "@registry-gate/auth";
import type { AccessRule } from "@registry-gate/core";
import { basic } from "../support/basic.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { builtGate } from "./built-gate.ts";
import type { Contender } from "./contender.ts";
import { giveAllCores } from "./cores.ts";

/** How much a gate has to know. */
export interface Size {
  readonly rules: number;
  readonly users: number;
  /** How many groups the first user is in. */
  readonly groups: number;
}

/** A gate of some size, whose files can be replaced while it runs. */
export interface GrowingGate extends Contender {
  readonly gate: RunningGate;
  /** What its event loop has met, in each tenth of a second so far. */
  delays(): Promise<readonly Delay[]>;
  /** Another rule, another password and another member. */
  change(): Promise<void>;
}

/** The most of a tenth of a second, in milliseconds. */
export interface Delay {
  /** By how much the event loop was late. */
  readonly late: number;
  /** How long it has computed at one stretch. */
  readonly stretch: number;
}

export function worstOf(delays: readonly Delay[]): Delay {
  return {
    late: Math.max(...delays.map(({ late }) => late)),
    stretch: Math.max(...delays.map(({ stretch }) => stretch)),
  };
}

const recorder = fileURLToPath(new URL("delay-recorder.ts", import.meta.url));

/** As long as a run takes, nobody is forgotten. */
const cache = { ttl: "10m", maxEntries: 50_000 };

/** The password of every user is their name. */
export const userOf = (index: number): string => `user${index}`;

export async function startGrowingGate(registry: string, size: Size): Promise<GrowingGate> {
  let version = 0;
  const configuration = (): object => ({
    listen: { address: "127.0.0.1:0" },
    upstream: { url: registry },
    auth: { backends: [{ type: "htpasswd", file: "htpasswd", groupFile: "groups" }], throttle: false, cache },
    limits: { connectionsPerAddress: 50_000, inFlightPerClient: 5000, inFlight: 10_000 },
    access: rulesOf(size.rules, version),
  });
  const delayFile = "delays";
  const gate = await startGate({
    configuration: configuration(),
    files: { htpasswd: usersOf(size.users, version), groups: groupsOf(size, version), [delayFile]: "" },
    program: builtGate,
    nodeOptions: ["--import", recorder],
    environment: { BENCH_DELAYS: delayFile },
    // The log is read, and not kept.
    onLine: () => {},
  });
  await giveAllCores(gate.pid);
  return {
    gate,
    name: `${size.rules} rules, ${size.users} users, ${size.groups} groups`,
    url: gate.url,
    pid: gate.pid,
    headers: basic(userOf(0), userOf(0)),
    async delays() {
      const text = await readFile(join(gate.directory, delayFile), "utf8");
      const lines = text.split("\n").filter(Boolean);
      return lines.map((line) => {
        const [late = Number.NaN, stretch = Number.NaN] = line.split(" ").map(Number);
        return { late, stretch };
      });
    },
    async change() {
      version++;
      await gate.put("htpasswd", usersOf(size.users, version));
      await gate.put("groups", groupsOf(size, version));
      await gate.configure(configuration());
    },
    close: () => gate.close(),
  };
}

/** One for each of many teams, some for single users, some that deny. */
export function rulesOf(count: number, version = 0): AccessRule[] {
  return Array.from({ length: count }, (_, index): AccessRule => {
    const team = index === 0 ? "team" : `team${index}`;
    const repositories = [`${team}/**`];
    // A version differs from the next one in one rule.
    const actions: Action[] = index === 1 && version % 2 === 1 ? ["pull"] : ["pull", "push"];
    if (index % 4 === 1) return { subjects: [`group:group${index}`], repositories, actions };
    if (index % 4 === 2) return { subjects: [`user:${userOf(index)}`], repositories, actions };
    if (index % 4 === 3) {
      return { effect: "deny", subjects: ["authenticated"], repositories: [`${team}/secret`], actions: ["*"] };
    }
    return { subjects: ["authenticated"], repositories, actions: ["pull"] };
  });
}

function usersOf(count: number, version: number): string {
  const lines: string[] = [];
  for (let index = 0; index < count; index++) {
    const changed = version > 0 && index === count - 1;
    const password = changed ? `${userOf(index)}-${version}` : userOf(index);
    lines.push(`${userOf(index)}:${sha1(password)}\n`);
  }
  return lines.join("");
}

function groupsOf({ groups, users }: Size, version: number): string {
  const lines = Array.from({ length: groups }, (_, index) => `group${index}: ${userOf(0)} ${userOf(index % users)}\n`);
  return `${lines.join("")}version${version}: ${userOf(0)}\n`;
}

/** What is read fastest, so that the size of the file is what counts. */
function sha1(password: string): string {
  return `{SHA}${hash("sha1", password, "base64")}`;
}
