import type { Fault } from "@registry-gate/auth";
import { optionFaults } from "@registry-gate/auth-kit";
import { parseDocument } from "yaml";
import type { Configuration } from "./configuration.ts";
import { expandEnvironment } from "./expand.ts";
import { isWithin, mend, type Path } from "./mend.ts";
import { configurationSchema } from "./schema.ts";

/** As many references as an honest configuration could have, and far fewer than make a memory bomb. */
const mostAliases = 100;

/** A configuration as far as it can be understood. */
export interface ReadConfiguration {
  /** Everything that is wrong with its form. */
  readonly faults: readonly Fault[];
  /** Without faults the configuration; otherwise what is left of it, to be judged and never to be run. */
  readonly configuration: Configuration | undefined;
  /** Where something was left out of it: what is found there says nothing about what was written. */
  readonly leftOut: readonly Path[];
}

/** Reads a configuration in YAML 1.2, of which JSON is a part. Paths in it stay as they are written. */
export function readConfiguration(
  text: string,
  environment: Readonly<Record<string, string | undefined>>,
): ReadConfiguration {
  const document = parseDocument(text, { version: "1.2", strict: true, uniqueKeys: true, prettyErrors: true });
  const problems = [...document.errors, ...document.warnings];
  if (problems.length > 0) return unreadable(problems.map(syntaxFault));
  let written: unknown;
  try {
    written = document.toJS({ maxAliasCount: mostAliases });
  } catch (error) {
    return unreadable([{ path: [], message: error instanceof Error ? firstLine(error.message) : "unreadable" }]);
  }
  const { value, faults } = expandEnvironment(written, environment);
  const unset = faults.map(({ path }) => path);
  const judged = configurationSchema.safeParse(value);
  if (judged.success) return { faults, configuration: judged.data, leftOut: unset };
  faults.push(...[...optionFaults(configurationSchema, value)].filter(({ path }) => !isWithin(path, unset)));
  const { rest, touched } = mend(value, firstFault);
  return { faults, configuration: configurationSchema.safeParse(rest).data, leftOut: [...unset, ...touched] };
}

function unreadable(faults: readonly Fault[]): ReadConfiguration {
  return { faults, configuration: undefined, leftOut: [] };
}

function firstFault(value: unknown): Path | undefined {
  const [first] = optionFaults(configurationSchema, value);
  return first?.path;
}

/** What the YAML library says to programmers, in the words of whoever writes a configuration. */
const rewordings: readonly (readonly [RegExp, string])[] = [
  [/^Source contains multiple documents/, "must be one document: the second begins here"],
  [/^Maximum call stack size exceeded/, "is nested too deeply"],
];

function syntaxFault(problem: {
  message: string;
  linePos?: readonly { line: number; col: number }[] | undefined;
}): Fault {
  const at = problem.linePos?.[0];
  const said = firstLine(problem.message).replace(/ at line \d+, column \d+:?$/, "");
  const message = rewordings.find(([pattern]) => pattern.test(said))?.[1] ?? said;
  return { path: [], message: at === undefined ? message : `line ${at.line}, column ${at.col}: ${message}` };
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}
