/**
 * What a backend of registry-gate is made of.
 *
 * @module
 */
export {
  type FairQueue,
  type FairQueueOptions,
  fairQueue,
  type QueueRefusal,
  QueueRefusedError,
  type Release,
} from "./fair-queue.ts";
