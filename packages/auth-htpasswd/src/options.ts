import { availableParallelism } from "node:os";
import { flagOption, parseOptions as parseWith, textOption, wholeNumberOption } from "@registry-gate/auth-kit";
import { z } from "zod";

/** The options of {@link htpasswdBackend}. */
export interface HtpasswdOptions {
  /** The password file, with a line `user:hash` for each user. Relative to the base directory of the context. */
  readonly file: string;
  /** An Apache group file, with lines `group: user user`. Without it, nobody is in a group. */
  readonly groupFile?: string;
  /** Whether entries in plain text can be used. Default `false`. */
  readonly allowPlaintext?: boolean;
  /**
   * How many hashes are computed at once. Default: one for each processor, at most 3, because bcrypt shares the four
   * threads of libuv with the file system. To go higher, raise `UV_THREADPOOL_SIZE` as well.
   */
  readonly hashConcurrency?: number;
  /**
   * How many checks may wait for their turn. Beyond that the backend is unavailable to the client with the most of them.
   * Default 500.
   */
  readonly hashQueue?: number;
}

/** All options, with their defaults. */
export interface ResolvedOptions {
  readonly file: string;
  readonly groupFile: string | undefined;
  readonly allowPlaintext: boolean;
  readonly hashConcurrency: number;
  readonly hashQueue: number;
}

const shape = {
  file: textOption("a path").describe("The password file, with a line user:hash for each user"),
  groupFile: textOption("a path").describe("An Apache group file, with lines group: user user").exactOptional(),
  allowPlaintext: flagOption().describe("Whether entries in plain text can be used").exactOptional(),
  hashConcurrency: wholeNumberOption(1, 1024).describe("How many hashes are computed at once").exactOptional(),
  hashQueue: wholeNumberOption(0, 1_000_000).describe("How many checks may wait for their turn").exactOptional(),
};

/** The options, as `plugin` and {@link parseOptions} check them. */
export const schema: z.ZodType<HtpasswdOptions> = z.strictObject(shape, "must be an object with file");

/** @throws {InvalidOptionsError} with every fault. */
export function parseOptions(options: unknown): HtpasswdOptions {
  return parseWith(schema, options);
}

export function resolveOptions(options: HtpasswdOptions): ResolvedOptions {
  return {
    file: options.file,
    groupFile: options.groupFile,
    allowPlaintext: options.allowPlaintext ?? false,
    hashConcurrency: options.hashConcurrency ?? Math.min(3, availableParallelism()),
    hashQueue: options.hashQueue ?? 500,
  };
}
