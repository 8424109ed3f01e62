import { availableParallelism } from "node:os";
import { run } from "../support/run.ts";

/*
 * A contender of one process has a core of its own, the last, and the clients and the registry have the others: so the
 * rate is what the contender can do, and the scheduler moves nobody in the middle of a round.
 */

const cores = availableParallelism();
const own = `${cores - 1}`;

/** Leaves the last core to the contenders, for this process and all that it starts from now on. */
export async function leaveCore(): Promise<void> {
  if (cores > 1) await pin(process.pid, `0-${cores - 2}`);
}

/** Puts a process and all its threads on the contenders' core. */
export async function giveOwnCore(pid: number): Promise<void> {
  if (cores > 1) await pin(pid, own);
}

/** Lets a process and all that it starts from now on run everywhere: for a contender of several processes. */
export async function giveAllCores(pid: number): Promise<void> {
  if (cores > 1) await pin(pid, `0-${cores - 1}`);
}

async function pin(pid: number, list: string): Promise<void> {
  await run("taskset", ["--all-tasks", "--cpu-list", "--pid", list, `${pid}`]);
}
