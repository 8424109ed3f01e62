import { type Fault, InvalidOptionsError } from "@registry-gate/auth";
import { type Document, parseDocument } from "yaml";
import type { z } from "zod";
import type { Configuration } from "./configuration.ts";
import { expandEnvironment } from "./expand.ts";
import { configurationSchema } from "./schema.ts";

/** As many references as an honest configuration could have, and far fewer than make a memory bomb. */
const mostAliases = 100;

/**
 * Reads a configuration in YAML 1.2, of which JSON is a part. Paths in it stay as they are written.
 *
 * @throws {InvalidOptionsError} with every fault.
 */
export function parseConfiguration(
  text: string,
  environment: Readonly<Record<string, string | undefined>>,
): Configuration {
  const document = parseDocument(text, { version: "1.2", strict: true, uniqueKeys: true, prettyErrors: true });
  const problems = [...document.errors, ...document.warnings];
  if (problems.length > 0) throw new InvalidOptionsError(problems.map(syntaxFault));
  const { value, faults } = expandEnvironment(toPlain(document), environment);
  const result = configurationSchema.safeParse(value, { reportInput: true });
  if (!result.success) faults.push(...result.error.issues.flatMap(faultsOf));
  if (faults.length > 0 || !result.success) throw new InvalidOptionsError(faults);
  return result.data;
}

function toPlain(document: Document.Parsed): unknown {
  try {
    return document.toJS({ maxAliasCount: mostAliases });
  } catch (error) {
    throw new InvalidOptionsError([
      { path: [], message: error instanceof Error ? firstLine(error.message) : "unreadable" },
    ]);
  }
}

function syntaxFault(problem: {
  message: string;
  linePos?: readonly { line: number; col: number }[] | undefined;
}): Fault {
  const at = problem.linePos?.[0];
  const message = firstLine(problem.message).replace(/ at line \d+, column \d+:?$/, "");
  return { path: [], message: at === undefined ? message : `line ${at.line}, column ${at.col}: ${message}` };
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}

function faultsOf(issue: z.core.$ZodIssue): Fault[] {
  const path = issue.path.map((key) => (typeof key === "symbol" ? String(key) : key));
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({ path: [...path, key], message: "is not a known key" }));
  }
  // Zod speaks of `undefined` where a key is missing.
  const missing = issue.code === "invalid_type" && "input" in issue && issue.input === undefined;
  return [{ path, message: missing ? "is required" : issue.message }];
}
