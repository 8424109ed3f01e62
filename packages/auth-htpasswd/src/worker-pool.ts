import { Worker } from "node:worker_threads";
import type { HashingTask } from "./hashing-worker.ts";

/** Threads that compute hashes. The caller limits how many tasks run at once. */
export interface WorkerPool {
  /**
   * Runs the task on an idle thread, or on a new one.
   *
   * @throws {Error} when the thread fails; the next task gets another.
   */
  run(task: HashingTask): Promise<boolean>;
  /** Ends all threads, with what they are doing. */
  close(): Promise<void>;
}

/** The source runs as it is under type stripping, and compiled beside this file. */
const PROGRAM = new URL(
  import.meta.url.endsWith(".ts") ? "./hashing-worker.ts" : "./hashing-worker.js",
  import.meta.url,
);

/** Makes a pool without a thread: they are started when they are first needed. An idle one keeps no process alive. */
export function createWorkerPool(): WorkerPool {
  const idle: Worker[] = [];
  const all = new Set<Worker>();

  function start(): Worker {
    // Flags of the parent, such as --input-type, would be refused or change what the thread is.
    const worker = new Worker(PROGRAM, { execArgv: [], name: "htpasswd" });
    all.add(worker);
    const forget = (): void => {
      all.delete(worker);
      const index = idle.indexOf(worker);
      if (index !== -1) idle.splice(index, 1);
    };
    worker.on("error", forget);
    worker.on("exit", forget);
    return worker;
  }

  return {
    run(task) {
      const worker = idle.pop() ?? start();
      return new Promise((resolve, reject) => {
        const end = (): void => {
          worker.off("message", onMessage);
          worker.off("error", onError);
          worker.off("exit", onExit);
          worker.unref();
        };
        const onMessage = (matches: unknown): void => {
          end();
          idle.push(worker);
          resolve(matches === true);
        };
        const onError = (error: unknown): void => {
          end();
          reject(error);
        };
        const onExit = (): void => onError(new Error("the hashing thread ended"));
        worker.on("message", onMessage);
        worker.on("error", onError);
        worker.on("exit", onExit);
        worker.ref();
        worker.postMessage(task);
      });
    },
    async close() {
      await Promise.all([...all].map((worker) => worker.terminate()));
    },
  };
}
