/**
 * What a backend of registry-gate is made of.
 *
 * @module
 */
export { backendContext, isLogger, silentLog } from "./backend-context.ts";
export { backendFault } from "./backend-fault.ts";
export {
  type FairQueue,
  type FairQueueOptions,
  fairQueue,
  type QueueRefusal,
  QueueRefusedError,
  type Release,
} from "./fair-queue.ts";
export { suggestKey } from "./known-keys.ts";
export { optionFaults, parseOptions } from "./parse-options.ts";
export { didYouMean } from "./suggestion.ts";
