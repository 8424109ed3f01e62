import { join } from "node:path";
import type { Guard } from "./guard.ts";

/** The root of the workspace. */
export const workspace: string = join(import.meta.dirname, "../..");

/** How often a text stands in another. */
export function occurrences(text: string, part: string): number {
  return text.split(part).length - 1;
}

/**
 * The text of a file without the guard.
 *
 * @throws {Error} where the guard does not stand in it exactly once.
 */
export function takeOut({ name, file, find, replacement }: Guard, text: string): string {
  const times = occurrences(text, find);
  if (times !== 1) throw new Error(`the guard ${name} stands ${times} times in ${file}`);
  return text.replace(find, () => replacement);
}
