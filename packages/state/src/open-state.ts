import { resolve } from "node:path";
import type { Logger } from "@registry-gate/auth";
import { parseOptions } from "@registry-gate/auth-kit";
import { redisState } from "./redis/redis-state.ts";
import { inspectStateFile, sqliteState } from "./sqlite/sqlite-state.ts";
import { type StateOptions, stateOptionsSchema } from "./state-options.ts";
import type { StateStore } from "./state-store.ts";

/** What {@link openState} is given beside its options. */
export interface StateContext {
  /** What a relative path is relative to. */
  readonly directory: string;
  /** Takes a warning if other users of the machine can read the file. */
  readonly log?: Logger;
}

/**
 * Opens the store that options name. A file is opened; Redis is connected to when it is first used, and need not be there
 * yet.
 *
 * @throws {InvalidOptionsError} with paths below the options, such as `file`.
 */
export async function openState(options: StateOptions, { directory, log }: StateContext): Promise<StateStore> {
  const given = parseOptions(stateOptionsSchema, options);
  if ("redis" in given) return redisState({ url: given.redis });
  return sqliteState({ file: resolve(directory, given.file), ...(log && { log }) });
}

/**
 * Finds what would keep {@link openState} from opening a store. It makes no file and connects to nothing.
 *
 * @throws {InvalidOptionsError} as {@link openState} does.
 */
export async function inspectState(options: StateOptions, { directory, log }: StateContext): Promise<void> {
  const given = parseOptions(stateOptionsSchema, options);
  if ("file" in given) await inspectStateFile({ file: resolve(directory, given.file), ...(log && { log }) });
}
