import { readdir, readFile, writeFile } from "node:fs/promises";

/** Of `/proc/PID/stat`, in which Linux counts hundredths of a second for every architecture that Node runs on. */
const ticksPerSecond = 100;

/** A process and all that it has started and that still run, itself first (proc_pid_tid_children(5)). */
export async function processTree(pid: number): Promise<number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, "utf8").catch(() => "")),
  );
  const children = lists.flatMap((list) => list.split(" ").filter((id) => id !== "")).map(Number);
  return [pid, ...(await Promise.all(children.map(processTree))).flat()];
}

/** How much processor time a process has used so far by itself, in seconds (proc_pid_stat(5): utime and stime). */
export async function processorSeconds(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8");
  // The second field is the name in parentheses, which may hold anything.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** {@link processorSeconds} of a process and all that it has started and that still run. */
export function processorSecondsOfTree(pid: number): Promise<number> {
  return sumOfTree(pid, processorSeconds);
}

/** The most memory that a process has had resident, in MiB, since it began or since {@link forgetPeak}. */
export function peakMemory(pid: number): Promise<number> {
  return field(`/proc/${pid}/status`, "VmHWM");
}

/** {@link peakMemory} of a process and all that it has started: what they share is counted for each. */
export function peakMemoryOfTree(pid: number): Promise<number> {
  return sumOfTree(pid, peakMemory);
}

/** The memory that a process has resident now, in MiB. */
export function residentMemory(pid: number): Promise<number> {
  return field(`/proc/${pid}/status`, "VmRSS");
}

/** What of that is its own: without the program and its libraries, which all processes that run Node share. */
export function ownMemory(pid: number): Promise<number> {
  return field(`/proc/${pid}/status`, "RssAnon");
}

/** The memory of a process, in MiB, of what it shares with others only its share: such shares can be added up. */
export function proportionalMemory(pid: number): Promise<number> {
  return field(`/proc/${pid}/smaps_rollup`, "Pss");
}

/** Makes the kernel begin anew with the peak (proc_pid_clear_refs(5)), for a process and all that it has started. */
export async function forgetPeak(pid: number): Promise<void> {
  for (const each of await processTree(pid)) await writeFile(`/proc/${each}/clear_refs`, "5");
}

async function sumOfTree(pid: number, figure: (pid: number) => Promise<number>): Promise<number> {
  const figures = await Promise.all((await processTree(pid)).map(figure));
  return figures.reduce((sum, each) => sum + each, 0);
}

async function field(file: string, name: string): Promise<number> {
  const text = await readFile(file, "utf8");
  const kibibytes = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text)?.[1];
  if (kibibytes === undefined) throw new Error(`${file} has no ${name}`);
  return Number(kibibytes) / 1024;
}
