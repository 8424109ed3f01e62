import { residentMemory } from "../bench/process-usage.ts";
import { descriptorsOf } from "./replica.ts";

/** What a process held at a moment. */
export interface Holding {
  /** MiB of resident memory. */
  readonly memory: number;
  readonly descriptors: number;
}

/** The course of what a process holds. */
export interface Course {
  readonly pid: number;
  readonly holdings: readonly Holding[];
}

/** Looks at processes every few seconds. */
export interface GrowthWatch {
  /** Of the processes that have been there all the time. */
  courses(): readonly Course[];
  stop(): void;
}

const period = 3000;

export function watchGrowth(processes: () => Promise<readonly number[]>): GrowthWatch {
  const courses = new Map<number, Holding[]>();
  let first = true;
  const look = async (): Promise<void> => {
    const pids = await processes();
    if (first) for (const pid of pids) courses.set(pid, []);
    first = false;
    for (const [pid, holdings] of courses) {
      try {
        holdings.push({ memory: await residentMemory(pid), descriptors: await descriptorsOf(pid) });
      } catch {
        // It has ended, as the soak wants it.
        courses.delete(pid);
      }
    }
  };
  void look();
  const timer = setInterval(() => void look(), period);
  return {
    courses: () => [...courses].map(([pid, holdings]) => ({ pid, holdings })),
    stop: () => clearInterval(timer),
  };
}

/** Growth that is none: what heaps and caches take until they are warm, which a short soak shows no end of. */
const allowance = { memory: 48, memoryShare: 0.25, descriptors: 24 };

/**
 * The faults of a course: between its second and its last quarter a process must not have grown by more than heaps that
 * breathe do. A leak of a KiB a request is 100 MiB here.
 */
export function growthFaults({ pid, holdings }: Course): readonly string[] {
  const quarter = Math.floor(holdings.length / 4);
  if (quarter < 3) return [`the process ${pid} was looked at only ${holdings.length} times`];
  const before = holdings.slice(quarter, 2 * quarter);
  const after = holdings.slice(-quarter);
  const memory = [median(before, "memory"), median(after, "memory")] as const;
  const descriptors = [median(before, "descriptors"), median(after, "descriptors")] as const;
  const faults: string[] = [];
  if (memory[1] > memory[0] * (1 + allowance.memoryShare) + allowance.memory) {
    faults.push(`the process ${pid} grew from ${memory[0].toFixed(0)} to ${memory[1].toFixed(0)} MiB`);
  }
  if (descriptors[1] > descriptors[0] + allowance.descriptors) {
    faults.push(`the process ${pid} had ${descriptors[0]} descriptors, and then ${descriptors[1]}`);
  }
  return faults;
}

function median(holdings: readonly Holding[], of: keyof Holding): number {
  const sorted = holdings.map((holding) => holding[of]).sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
