import cluster from "node:cluster";

const variable = "REGISTRY_GATE_WORKER";
/** Read once, and not for the processes that plugins start. */
const mark = process.env[variable];
delete process.env[variable];

/** The environment by which a process that the primary starts knows what it is. */
export function markWorker(number: number): NodeJS.ProcessEnv {
  return { [variable]: String(number) };
}

/** Whether this process is a worker of a gate, and not of another program that uses `node:cluster`. */
export function isGateWorker(): boolean {
  return cluster.isWorker && mark !== undefined;
}
