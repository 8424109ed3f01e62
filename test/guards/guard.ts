/** A place in the code that prevents something, and the tests that fail without it. */
export interface Guard {
  /** What it prevents, as a short name for the command line: `duplicate-headers`. */
  readonly name: string;
  /** From the root of the workspace. */
  readonly file: string;
  /** Its text, which stands exactly once in the file. */
  readonly find: string;
  /** What stands in its place where it is taken out. */
  readonly replacement: string;
  /** Test files from the root of the workspace, each of which must fail without it. The quickest are enough. */
  readonly tests: readonly string[];
}
