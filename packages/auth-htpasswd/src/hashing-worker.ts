import { parentPort } from "node:worker_threads";
import { type ComputedHash, matchHash } from "./match-hash.ts";

/** What the worker is sent; it answers each with a boolean, one after the other. */
export interface HashingTask {
  readonly hash: ComputedHash;
  readonly password: string;
}

parentPort?.on("message", ({ hash, password }: HashingTask) => {
  parentPort?.postMessage(matchHash(hash, password));
});
