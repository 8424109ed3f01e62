import { parentPort } from "node:worker_threads";
import { type ComputedHash, matchHash } from "./match-hash.ts";

/** A message to the worker, which responds to each with a boolean, in order. */
export interface HashingTask {
  readonly hash: ComputedHash;
  readonly password: string;
}

parentPort?.on("message", ({ hash, password }: HashingTask) => {
  parentPort?.postMessage(matchHash(hash, password));
});
