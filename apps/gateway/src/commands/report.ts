import { type Fault, formatFault } from "@registry-gate/auth";

/** Writes each fault as a line on standard error: the file, the key's path, and what is wrong there. */
export function reportFaults(file: string, faults: readonly Fault[]): void {
  for (const fault of faults) process.stderr.write(`${file}: ${formatFault(fault)}\n`);
}
