/** What a run was measured on. */
export interface Machine {
  readonly cores: number;
  readonly processor: string;
  /** In MiB. */
  readonly memory: number;
  /** Of the kernel. */
  readonly linux: string;
  readonly node: string;
  /** Versions of what took part, by name; those that are missing here are absent. */
  readonly programs: Readonly<Record<string, string>>;
  /** Runnable processes on the average of the last minute, at the start. */
  readonly load: number;
  /** The share of all cores that others used at the start, from 0 to 1. */
  readonly busy: number;
}

/** From which on figures are not to be trusted. */
const mostBusy = 0.15;

/** Why figures of this machine are not to be trusted, in a sentence; `undefined` where they are. */
export function busyWarning({ busy }: Machine): string | undefined {
  if (busy <= mostBusy) return undefined;
  return `the machine is busy: others used ${Math.round(busy * 100)} % of its cores at the start`;
}

export function formatMachine({ cores, processor, memory, linux, node, programs, load }: Machine): string {
  const others = Object.entries(programs).map(([name, version]) => `${name} ${version}`);
  return [
    `${cores} × ${processor}, ${Math.round(memory / 1024)} GiB, Linux ${linux}`,
    `Node ${node}, ${others.join(", ")}`,
    `load ${load.toFixed(2)} at the start`,
  ].join("; ");
}
