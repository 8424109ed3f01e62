/**
 * What a backend of registry-gate is made of.
 *
 * @module
 */
export { backendContext, isLogger, silentLog } from "./backend-context.ts";
export { backendFault } from "./backend-fault.ts";
export { clientNetwork } from "./client-network.ts";
export { durationFault, durationOption, fileOptionsSchema } from "./duration-option.ts";
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
  QueueRefusedError,
  type Release,
} from "./fair-queue.ts";
export { guardProcess } from "./guard-process.ts";
export { inspectKeyPair, type KeyPairFault, type KeyPairFindings } from "./key-pair.ts";
export { suggestKey } from "./known-keys.ts";
export { type LinkedList, type LinkedNode, linkedList } from "./linked-list.ts";
export { type Channel, openChannel } from "./observe/channel.ts";
export { type ChannelName, channelNames } from "./observe/channel-names.ts";
export { type FileReload, fileReload } from "./observe/file-reload.ts";
export type { ObserveQueue, QueueEvent, QueueLevels, QueueRefusal } from "./observe/queue-event.ts";
export { optionFaults, parseOptions } from "./parse-options.ts";
export { readSecret, readSecretText, type TextReading, withoutByteOrderMark } from "./read-secret.ts";
export { isStreamSafe } from "./stream-safe.ts";
export { didYouMean } from "./suggestion.ts";
export { type ValueSchema, type ValueType, valueSchema } from "./value-types.ts";
