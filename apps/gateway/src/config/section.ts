import type { RegistryProxyOptions } from "@registry-gate/core";
import type { z } from "zod";
import type { Path } from "./path.ts";

/** A top-level key of the configuration: what is written there, and what becomes of it. */
export interface Section<Value> {
  /** How it is written, with a description of each key. */
  readonly schema: z.ZodType<Value>;
  /** Substitutes for what is required, the innermost first. */
  readonly substitutes?: readonly Substitute[];
  /** Makes every path in it absolute. Absent: it has none. */
  readonly withAbsolutePaths?: (value: Value, absolute: MakeAbsolute) => Value;
  /** Keys of this section by the options of the middleware that they become. Absent: the option has the section's own name. */
  readonly optionKeys?: Readonly<Partial<Record<keyof RegistryProxyOptions, string>>>;
}

/**
 * What replaces a required value that is at fault, so that the rest of the configuration can be judged; it is never run.
 * The path is below the section, `*` for any index.
 */
export interface Substitute {
  readonly path: Path;
  readonly value: unknown;
}

export type MakeAbsolute = (path: string) => string;

/** A copy of a map in which the paths at these keys, where there are any, are absolute. */
export function withAbsolute<Key extends string, Value extends { readonly [key in Key]?: string }>(
  value: Value,
  keys: readonly Key[],
  absolute: MakeAbsolute,
): Value {
  const paths = keys.flatMap((key) => {
    const path: string | undefined = value[key];
    return path === undefined ? [] : [[key, absolute(path)] as const];
  });
  return { ...value, ...Object.fromEntries(paths) };
}
