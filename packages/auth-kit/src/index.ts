/**
 * What a backend of registry-gate is made of.
 *
 * @module
 */
export { clientNetwork } from "./client-network.ts";
export {
  type FairQueue,
  type FairQueueOptions,
  fairQueue,
  type QueueRefusal,
  QueueRefusedError,
  type Release,
} from "./fair-queue.ts";
export { type LinkedList, type LinkedNode, linkedList } from "./linked-list.ts";
export { isStreamSafe } from "./stream-safe.ts";
