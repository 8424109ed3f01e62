import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { type Fault, InvalidOptionsError } from "@registry-gate/auth";
import { readSecretText } from "@registry-gate/auth-kit";
import type { PassportPluginOptions } from "./plugin-options.ts";

type Options = Record<string, unknown>;

/**
 * Puts a strategy's options together: a copy, which it may change, with the texts of files where they belong. A byte
 * order mark and a line end at the end of a file are not part of its text.
 *
 * @throws {InvalidOptionsError} with every file that cannot be read, and every option that has no place.
 */
export async function strategyOptions(
  { options = {}, optionFiles = {} }: Pick<PassportPluginOptions, "options" | "optionFiles">,
  baseDirectory: string,
): Promise<Options> {
  const whole: Options = structuredClone(options);
  const faults: Fault[] = [];
  for (const [path, file] of Object.entries(optionFiles)) {
    const fault = (message: string): void => void faults.push({ path: ["optionFiles", path], message });
    try {
      const reading = readSecretText(await readFile(resolve(baseDirectory, file)));
      if (reading.fault !== undefined) fault(reading.fault);
      else if (!put(whole, path.split("."), reading.text)) fault("conflicts with another option");
    } catch (error) {
      fault(error instanceof Error && "code" in error ? `cannot be read: ${String(error.code)}` : "cannot be read");
    }
  }
  if (faults.length > 0) throw new InvalidOptionsError(faults);
  return whole;
}

/** @returns whether there was a place for it that noResult else had taken. */
function put(options: Options, path: readonly string[], value: string): boolean {
  const [key = "", ...rest] = path;
  if (key === "__proto__") return false;
  if (rest.length === 0) {
    if (Object.hasOwn(options, key)) return false;
    options[key] = value;
    return true;
  }
  if (!Object.hasOwn(options, key)) options[key] = {};
  const inner = options[key];
  return isOptions(inner) && put(inner, rest, value);
}

function isOptions(value: unknown): value is Options {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Every text in the options that could be a secret, for redaction. */
export function textsIn(options: unknown): string[] {
  if (typeof options === "string") return options.length < 4 ? [] : [options];
  return typeof options === "object" && options !== null ? Object.values(options).flatMap(textsIn) : [];
}
