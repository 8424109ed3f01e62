import { resolve } from "node:path";
import type { BackendContext, Fault } from "@registry-gate/auth";
import { type FollowedValue, followFile } from "./follow-files.ts";
import { parseSecret } from "./read-secret.ts";

/** More than any password, token or key has. */
const MAX_SECRET_BYTES = 64 * 1024;

/**
 * Follows the file that holds a secret alone, such as a password or a key.
 *
 * @param file Relative to the base directory of the context.
 * @param option Where the options name it, for its faults.
 * @throws {InvalidOptionsError} when there is no secret to begin with.
 */
export function followSecret(
  file: string,
  option: Fault["path"],
  { baseDirectory, log }: Pick<BackendContext, "baseDirectory" | "log">,
): Promise<FollowedValue<string>> {
  const path = resolve(baseDirectory, file);
  return followFile({ path, option, parse: parseSecret, maxBytes: MAX_SECRET_BYTES, log });
}
