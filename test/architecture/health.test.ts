import { existsSync, readFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { expect, test } from "vitest";
import { importsOf } from "./imports.ts";

const gateway = resolve(import.meta.dirname, "../../apps/gateway/src");

/** Everything that a module of the gateway imports, at once or later, and what those import. */
function importedBy(entry: string): { readonly files: readonly string[]; readonly packages: readonly string[] } {
  const files = new Set([resolve(gateway, entry)]);
  const packages = new Set<string>();
  // A set goes on to what is added to it meanwhile.
  for (const file of files) {
    for (const specifier of importsOf(file, readFileSync(file, "utf8"))) {
      const target = resolve(dirname(file), specifier);
      if (specifier.startsWith(".")) files.add(target);
      else if (!specifier.startsWith("node:")) packages.add(specifier);
    }
  }
  expect([...files].every((file) => existsSync(file))).toBe(true);
  return { files: [...files].map((file) => relative(gateway, file)), packages: [...packages] };
}

test("the command health, which a container runs all the time, loads little of the gateway", () => {
  const { files, packages } = importedBy("commands/health/run-health.ts");
  expect([...packages].sort()).toEqual(["@registry-gate/auth", "yaml"]);
  expect(files.filter((file) => !file.startsWith("commands/health/")).sort()).toEqual([
    "commands/command.ts",
    "commands/run-command.ts",
    "config/address.ts",
    "config/expand.ts",
    "one-line.ts",
    "printable.ts",
  ]);
});
