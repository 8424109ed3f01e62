import { globSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { ImportError, type Note, type Source } from "../imported.ts";
import { type Directive, parseApache } from "./parse.ts";

/** A file that includes itself would never end. */
const deepest = 10;
/** Sections whose content holds where a module or a definition is there. */
const conditions = ["ifmodule", "ifdefine", "ifversion"];

/** A configuration with all that it includes, and what relative paths in it are relative to. */
export interface ReadApache {
  readonly directives: readonly Directive[];
  readonly directory: string;
}

/**
 * Reads a configuration. Modules are taken to be there: `<IfModule>` counts, but for what is said of a module that is not.
 *
 * @param notes Takes the includes that cannot be read.
 * @throws {ImportError} with the place of what cannot be parsed.
 */
export function readApache({ name, directory, text }: Source, notes: Note[]): ReadApache {
  const root = parseApache(text, name);
  const serverRoot = root.find((directive) => directive.name === "serverroot")?.parameters[0];
  const base = serverRoot === undefined ? directory : resolve(directory, serverRoot);

  function expand(directives: readonly Directive[], depth: number): readonly Directive[] {
    return directives.flatMap((directive) => {
      const { name: called, parameters, section } = directive;
      if (called === "include" || called === "includeoptional") return included(directive, depth);
      if (section === undefined) return [directive];
      if (conditions.includes(called)) return parameters[0]?.startsWith("!") ? [] : expand(section, depth);
      return [{ ...directive, section: expand(section, depth) }];
    });
  }

  function included(directive: Directive, depth: number): readonly Directive[] {
    const [pattern = ""] = directive.parameters;
    const paths = globSync(resolve(base, pattern)).sort();
    if (paths.length === 0) {
      const { file, line, name: called } = directive;
      if (called === "includeoptional") return [];
      notes.push({ file, line, text: `Include ${pattern}`, reason: "the file is not there" });
      return [{ ...directive, name: "include-missing" }];
    }
    if (depth === deepest) throw new ImportError(`${directive.file}:${directive.line}: files include each other`);
    return paths.flatMap((path) => expand(parseApache(readFileSync(path, "utf8"), path), depth + 1));
  }

  return { directives: expand(root, 0), directory: base };
}
