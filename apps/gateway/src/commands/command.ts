/** A subcommand of `registry-gate`. */
export interface Command {
  readonly name: string;
  /** What stands behind the name, for the usage. */
  readonly synopsis: string;
  /** One line. */
  readonly summary: string;
  /** What else its user should know: lines of options, of what is read and printed, and of exit codes. */
  readonly details: readonly string[];
  /** Gets what stands behind the name; resolves to the exit code. */
  run(parameters: readonly string[]): Promise<number>;
}

/** The command line is not one that is known. Exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
