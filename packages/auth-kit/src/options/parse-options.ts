import { type Fault, InvalidOptionsError } from "@registry-gate/auth";
import { z } from "zod";
import { suggestKey } from "./known-keys.ts";

type Path = readonly (string | number)[];

/**
 * Checks options against a schema, whoever wrote them: TypeScript, JavaScript or a file.
 *
 * @throws {InvalidOptionsError} with every fault of {@link optionFaults}.
 */
export function parseOptions<T>(schema: z.ZodType<T>, options: unknown): T {
  const result = schema.safeParse(options);
  if (result.success) return result.data;
  throw new InvalidOptionsError([...faultsOfIssues(result.error.issues, schema, options)]);
}

/**
 * Everything that a schema finds wrong with options, each fault made when it is asked for. An unknown key is a fault at
 * its own path, with the known key that may have been meant.
 */
export function optionFaults(schema: z.ZodType, options: unknown): IterableIterator<Fault> {
  return faultsOfIssues(schema.safeParse(options).error?.issues ?? [], schema, options);
}

/** @param base Where the part of the options stands whose issues these are. */
function* faultsOfIssues(
  issues: readonly z.core.$ZodIssue[],
  schema: z.ZodType,
  options: unknown,
  base: Path = [],
): IterableIterator<Fault> {
  for (const issue of issues) {
    const path = [...base, ...issue.path.map((key) => (typeof key === "symbol" ? String(key) : key))];
    if (issue.code === "unrecognized_keys") {
      for (const key of issue.keys) {
        const at = [...path, key];
        yield { path: at, message: `is not a known key${suggestKey(jsonSchemaOf(schema), at)}` };
      }
      continue;
    }
    // The alternative that was meant is the one of which only something inside is wrong.
    const meant = issue.code === "invalid_union" ? issue.errors.find((inner) => inner.every(isInside)) : undefined;
    if (meant !== undefined) yield* faultsOfIssues(meant, schema, options, path);
    else yield { path, message: missing(path, options) ?? issue.message };
  }
}

const jsonSchemas = new WeakMap<z.ZodType, unknown>();

function jsonSchemaOf(schema: z.ZodType): unknown {
  const made = jsonSchemas.get(schema) ?? z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  jsonSchemas.set(schema, made);
  return made;
}

function isInside({ code, path }: z.core.$ZodIssue): boolean {
  return path.length > 0 || code === "unrecognized_keys";
}

/** Zod tells neither a key that is left out from one without a value, nor either from a value of a wrong type. */
function missing(path: Path, options: unknown): string | undefined {
  const key = path.at(-1);
  if (key === undefined) return undefined;
  let parent = options;
  for (const step of path.slice(0, -1)) parent = isObject(parent) ? Reflect.get(parent, step) : undefined;
  if (!isObject(parent)) return undefined;
  if (!Reflect.has(parent, key)) return "is required";
  // Most likely a misspelt property was read: to take it for an option left out could leave out a protection.
  return Reflect.get(parent, key) === undefined ? "is undefined: leave it out, or give it a value" : undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
