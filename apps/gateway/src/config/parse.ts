import type { Fault } from "@registry-gate/auth";
import { parseDocument } from "yaml";
import { z } from "zod";
import type { Configuration } from "./configuration.ts";
import { expandEnvironment } from "./expand.ts";
import { suggestKey } from "./known-keys.ts";
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
  const judged = configurationSchema.safeParse(value, { reportInput: true });
  if (judged.success) return { faults, configuration: judged.data, leftOut: unset };
  const wrong = judged.error.issues.flatMap((issue) => faultsOf(issue));
  faults.push(...wrong.filter(({ path }) => !isWithin(path, unset)));
  const { rest, touched } = mend(value, firstFault);
  return { faults, configuration: configurationSchema.safeParse(rest).data, leftOut: [...unset, ...touched] };
}

function unreadable(faults: readonly Fault[]): ReadConfiguration {
  return { faults, configuration: undefined, leftOut: [] };
}

function firstFault(value: unknown): Path | undefined {
  const [issue] = configurationSchema.safeParse(value).error?.issues ?? [];
  return issue === undefined ? undefined : faultsOf(issue)[0]?.path;
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

/** @param base Where the part of the configuration stands whose issue this is. */
function faultsOf(issue: z.core.$ZodIssue, base: Path = []): Fault[] {
  const path = [...base, ...issue.path.map((key) => (typeof key === "symbol" ? String(key) : key))];
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => {
      const at = [...path, key];
      return { path: at, message: `is not a known key${suggestKey(form(), at)}` };
    });
  }
  // Of alternatives, that one was meant of which only something inside is wrong.
  const meant = issue.code === "invalid_union" ? issue.errors.find((issues) => issues.every(isInside)) : undefined;
  if (meant !== undefined) return meant.flatMap((inner) => faultsOf(inner, path));
  // Zod speaks of `undefined` where a key is missing.
  const missing = issue.code === "invalid_type" && "input" in issue && issue.input === undefined;
  return [{ path, message: missing ? "is required" : issue.message }];
}

function isInside({ code, path }: z.core.$ZodIssue): boolean {
  return path.length > 0 || code === "unrecognized_keys";
}

/** The form of a configuration as JSON Schema. */
function form(): unknown {
  return z.toJSONSchema(configurationSchema, { io: "input" });
}
