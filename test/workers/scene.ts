import { readFile } from "node:fs/promises";
import { Agent, request as sendRequest } from "node:http";
import { basic } from "../support/basic.ts";
import type { RunningGate } from "../support/gate.ts";
import type { LogLine } from "../support/logged-server.ts";

/** A gate of several processes, seen from outside. */

/** The ids of the processes that a gate has started and that still run, the oldest first. */
export async function workersOf({ pid }: Pick<RunningGate, "pid">): Promise<readonly number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  return text.split(" ").filter(Boolean).map(Number);
}

/** Whether a process runs, and is no zombie. */
export async function isRunning(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return status !== "" && !/\) Z /.test(status);
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

export const alice: { readonly authorization: string } = basic("alice", "alice-password");

/** A request on a connection of its own. */
export function ask(url: string, headers: Readonly<Record<string, string>> = alice): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const agent = new Agent({ keepAlive: false });
    const sent = sendRequest(url, { headers: { ...headers, connection: "close" }, agent }, (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => {
        body += chunk.toString();
      });
      response.once("end", () => resolve({ status: response.statusCode ?? 0, body }));
      response.once("error", reject);
    });
    sent.once("error", reject);
    sent.end();
  });
}

/** Which workers have handled requests, by the lines of the log. */
export function servingWorkers(lines: readonly LogLine[]): ReadonlySet<unknown> {
  return new Set(lines.filter(({ event }) => event === "request").map(({ worker }) => worker));
}

/** Asks on new connections, several at a time, until `enough`. @returns the statuses. */
export async function askUntil(
  url: string,
  enough: () => boolean,
  headers: Readonly<Record<string, string>> = alice,
): Promise<ReadonlySet<number>> {
  const statuses = new Set<number>();
  for (let round = 0; round < 200 && !enough(); round++) {
    for (const { status } of await Promise.all(Array.from({ length: 8 }, () => ask(url, headers))))
      statuses.add(status);
  }
  if (!enough()) throw new Error("not all workers have handled a request");
  return statuses;
}
