import { globSync, readFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { ImportError, type Note, type Source } from "../imported.ts";
import { type Directive, parseNginx } from "./parse.ts";

/** A file that includes itself would never end. */
const deepest = 10;

/**
 * Reads a configuration with all that it includes. Paths are relative to the first file's directory, as nginx takes them
 * to be relative to that of `nginx.conf`.
 *
 * @param notes Takes the includes that cannot be read.
 * @throws {ImportError} with the place of what cannot be parsed.
 */
export function readNginx({ name, directory, text }: Source, notes: Note[]): readonly Directive[] {
  function expand(directives: readonly Directive[], depth: number): readonly Directive[] {
    return directives.flatMap((directive) => {
      if (directive.name === "include" && directive.block === undefined) return included(directive, depth);
      const { block } = directive;
      return block === undefined ? [directive] : [{ ...directive, block: expand(block, depth) }];
    });
  }

  function included(directive: Directive, depth: number): readonly Directive[] {
    const [pattern = ""] = directive.parameters;
    // It only maps names of files to media types.
    if (/(?:^|\/)mime\.types$/.test(pattern)) return [];
    const paths = globSync(resolve(directory, pattern)).sort();
    if (paths.length === 0 && !/[*?[]/.test(pattern)) {
      const { file, line } = directive;
      // What it would restrict is not known.
      notes.push({ file, line, text: `include ${pattern}`, reason: "the file is not there" });
      return [{ ...directive, name: "include-missing" }];
    }
    if (depth === deepest) throw new ImportError(`${directive.file}:${directive.line}: files include each other`);
    return paths.flatMap((path) => {
      const shown = relative(directory, path);
      const file = dirname(name) === "." ? shown : `${dirname(name)}/${shown}`;
      return expand(parseNginx(readFileSync(path, "utf8"), file), depth + 1);
    });
  }

  return expand(parseNginx(text, name), 0);
}
