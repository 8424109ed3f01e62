/**
 * The small store that throttling, revocation and tokens share.
 *
 * @module
 */

export { type MemoryStateOptions, memoryState } from "./memory-state.ts";
export { inspectState, openState, type StateContext } from "./open-state.ts";
export { type RedisStateOptions, redisState } from "./redis/redis-state.ts";
export { type DurableQueue, inspectQueue, openQueue, type Queued } from "./sqlite/durable-queue.ts";
export { type SqliteStateOptions, sqliteState } from "./sqlite/sqlite-state.ts";
export { type StateOptions, stateOptionsSchema } from "./state-options.ts";
export type { StateEntry, StateStore, TimedValue } from "./state-store.ts";
export { StateUnavailableError } from "./state-unavailable-error.ts";
export { type StateCountersOptions, stateCounters } from "./throttle/state-counters.ts";
