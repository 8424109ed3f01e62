import { gateCommand } from "../support/gate.ts";
import { type CommandResult, runCommand } from "../support/run.ts";

export interface RunOptions {
  /** Written to its standard input. */
  readonly input?: string | Uint8Array;
  /** The current directory. */
  readonly directory?: string;
  /** Added to the environment of the tests. */
  readonly environment?: Readonly<Record<string, string>>;
  /** As a user without any rights, where the test has the right to become one. */
  readonly asNobody?: boolean;
}

const nobody = 65_534;

/** Runs a command of `registry-gate` to its end. */
export function runGate(parameters: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
  const [program, ...before] = gateCommand;
  const { asNobody = false, ...rest } = options;
  // Root may read every file.
  const drop = asNobody && process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {};
  return runCommand(program, [...before, ...parameters], { ...rest, ...drop });
}
