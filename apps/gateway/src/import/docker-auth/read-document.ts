import { isScalar, type LineCounter, type Node, parseDocument, visit } from "yaml";
import { ImportError, type Source } from "../imported.ts";

/**
 * Parses YAML, with the node that it stands for in the place of each alias.
 *
 * @param lines Is told where lines begin.
 * @throws {ImportError} with the line of what cannot be parsed, of a merge key, and of an alias that holds itself.
 */
export function readDocument({ name, text }: Source, lines: LineCounter): Node | null {
  const document = parseDocument(text, { lineCounter: lines });
  const fail = (offset: number, message: string): never => {
    throw new ImportError(`${name}:${lines.linePos(offset).line}: ${message}`);
  };
  const [fault] = document.errors;
  if (fault !== undefined) fail(fault.pos[0], fault.message.split("\n")[0] ?? "");
  let aliases = 0;
  visit(document, {
    Pair(_, { key }) {
      // What it would add to a map, such as a condition, would be overlooked.
      if (isScalar(key) && key.value === "<<") fail(key.range?.[0] ?? 0, "write out what the merge key << stands for");
    },
    Alias(_, alias, path) {
      const offset = alias.range?.[0] ?? 0;
      const node = alias.resolve(document);
      if (node === undefined) return fail(offset, `nothing has the anchor ${alias.source}`);
      if (path.some((outer) => outer === node)) fail(offset, `the anchor ${alias.source} holds itself`);
      if (++aliases > mostAliases) fail(offset, `more than ${mostAliases} aliases`);
      return node;
    },
  });
  return document.contents;
}

/** Aliases of aliases can stand for more than a memory holds. */
const mostAliases = 10_000;
