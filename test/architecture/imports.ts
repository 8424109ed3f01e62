import { parseSync, Visitor } from "oxc-parser";

/**
 * Finds the modules that a TypeScript source names: what it imports, re-exports, and imports for a type alone or while it
 * runs. What is computed while it runs is not found.
 *
 * @throws {SyntaxError} where the source cannot be parsed.
 */
export function importsOf(file: string, source: string): readonly string[] {
  const { program, errors } = parseSync(file, source, { lang: "ts" });
  const [fault] = errors;
  if (fault !== undefined) throw new SyntaxError(`${file}: ${fault.message}`);
  const found: string[] = [];
  const add = (specifier: unknown): void => {
    if (typeof specifier === "string") found.push(specifier);
  };
  new Visitor({
    ImportDeclaration: (node) => add(node.source.value),
    ExportNamedDeclaration: (node) => add(node.source?.value),
    ExportAllDeclaration: (node) => add(node.source.value),
    ImportExpression: (node) => add(node.source.type === "Literal" ? node.source.value : undefined),
    TSImportType: (node) => add(node.source.value),
  }).visit(program);
  return found;
}

/** The name of the package in a module's name; `undefined` for files and for what Node brings. */
export function packageOf(specifier: string): string | undefined {
  if (/^(?:\.|node:)/.test(specifier)) return undefined;
  return /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0];
}

/**
 * Finds files that import each other in a circle.
 *
 * @param graph The files that each file imports.
 * @returns one circle, its first file again at its end; `undefined` where there is none.
 */
export function findCycle(graph: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const done = new Set<string>();
  const path: string[] = [];

  function visit(file: string): readonly string[] | undefined {
    const start = path.indexOf(file);
    if (start !== -1) return [...path.slice(start), file];
    if (done.has(file)) return undefined;
    path.push(file);
    for (const next of graph.get(file) ?? []) {
      const cycle = visit(next);
      if (cycle !== undefined) return cycle;
    }
    path.pop();
    done.add(file);
    return undefined;
  }

  for (const file of graph.keys()) {
    const cycle = visit(file);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}
