import { join } from "node:path";
import type { StateConfiguration } from "../config/sections/state.ts";

/** Where tokens are kept if `state` is not configured: a file beside the configuration. */
export function defaultState(directory: string): StateConfiguration {
  return { file: join(directory, "state.db") };
}
