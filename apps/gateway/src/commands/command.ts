/** A subcommand of `registry-gate`. */
export interface Command {
  readonly name: string;
  /** What stands behind the name, for the usage. */
  readonly synopsis: string;
  readonly summary: string;
  /** Gets what stands behind the name; resolves to the exit code. */
  run(parameters: readonly string[]): Promise<number>;
}

/** The command line is not one that is known. Exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
