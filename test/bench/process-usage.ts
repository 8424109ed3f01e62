import { readFile, writeFile } from "node:fs/promises";

/** Of `/proc/PID/stat`, in which Linux counts hundredths of a second for every architecture that Node runs on. */
const ticksPerSecond = 100;

/** How much processor time a process has used so far, in seconds (proc_pid_stat(5): utime and stime). */
export async function processorSeconds(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8");
  // The second field is the name in parentheses, which may hold anything.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** The most memory that a process has had resident, in MiB, since it began or since {@link forgetPeak}. */
export function peakMemory(pid: number): Promise<number> {
  return statusField(pid, "VmHWM");
}

/** The memory that a process has resident now, in MiB. */
export function residentMemory(pid: number): Promise<number> {
  return statusField(pid, "VmRSS");
}

/** Makes the kernel begin anew with the peak (proc_pid_clear_refs(5)). */
export function forgetPeak(pid: number): Promise<void> {
  return writeFile(`/proc/${pid}/clear_refs`, "5");
}

async function statusField(pid: number, name: string): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const kibibytes = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1];
  if (kibibytes === undefined) throw new Error(`the process ${pid} has no ${name}`);
  return Number(kibibytes) / 1024;
}
