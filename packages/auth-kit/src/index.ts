/**
 * What a backend of registry-gate is made of.
 *
 * @module
 */
export { backendContext, isLogger, silentLog } from "./backend-context.ts";
export { backendFault } from "./backend-fault.ts";
export { clientNetwork } from "./client-network.ts";
export {
  claimUncaught,
  containmentOf,
  type ErrorContainment,
  errorContainment,
  openContained,
  UnownedError,
} from "./error-containment.ts";
export {
  type FairQueue,
  type FairQueueOptions,
  fairQueue,
  type QueueRefusal,
  QueueRefusedError,
  type Release,
} from "./fair-queue.ts";
export { guardProcess } from "./guard-process.ts";
export { suggestKey } from "./known-keys.ts";
export { type LinkedList, type LinkedNode, linkedList } from "./linked-list.ts";
export { optionFaults, parseOptions } from "./parse-options.ts";
export { isStreamSafe } from "./stream-safe.ts";
export { didYouMean } from "./suggestion.ts";
