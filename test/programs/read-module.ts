import { parseAst } from "vitest/node";

/** What can be read off a module without running it. */
export interface ModuleReading {
  /** The relative modules that it imports, as they are written. Imports of types alone are none. */
  readonly imports: readonly string[];
  /** The literal names that it gives to whatever starts programs. */
  readonly started: readonly string[];
  /** Whether it can start processes by itself. */
  readonly spawns: boolean;
  /** Whether it calls a method `listen`: as a server does, and hardly anything else. */
  readonly listens: boolean;
}

/** The functions whose first argument is the name of a program. */
const starters = new Set(["run", "runCommand", "startable"]);
/** The function whose arguments all are. */
const declaration = "startedIndirectly";

/** Reads a module of TypeScript. @throws {Error} where it cannot be parsed. */
export function readModule(text: string, path: string): ModuleReading {
  const imports: string[] = [];
  const started: string[] = [];
  let spawns = false;
  let listens = false;
  const addImport = (source: unknown): void => {
    const target = literal(source);
    if (target === "node:child_process" || target === "node:cluster") spawns = true;
    if (target?.startsWith(".")) imports.push(target);
  };
  const visit = (node: Node): void => {
    switch (node.type) {
      case "ImportDeclaration":
        if (node.importKind !== "type" && !onlyTypes(node.specifiers)) addImport(node.source);
        return;
      case "ExportAllDeclaration":
      case "ExportNamedDeclaration":
        if (node.exportKind !== "type") addImport(node.source);
        break;
      case "ImportExpression":
        addImport(node.source);
        break;
      case "CallExpression": {
        const callee = nameOf(node.callee);
        if (isNode(node.callee) && nameOf(node.callee.property) === "listen") listens = true;
        const names = Array.isArray(node.arguments) ? node.arguments.map(literal) : [];
        const taken = callee === declaration ? names : starters.has(String(callee)) ? names.slice(0, 1) : [];
        started.push(...taken.filter((name) => name !== undefined));
        break;
      }
      case "Property": {
        const value = literal(node.value);
        if (nameOf(node.key) === "command" && value !== undefined) started.push(value);
        break;
      }
    }
    for (const child of Object.values(node)) {
      if (Array.isArray(child)) for (const each of child) isNode(each) && visit(each);
      else if (isNode(child)) visit(child);
    }
  };
  visit(asNode(parseAst(text, { lang: "ts" }, path)));
  return { imports, started, spawns, listens };
}

type Node = Readonly<Record<string, unknown>> & { readonly type: string };

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}

function asNode(value: unknown): Node {
  if (!isNode(value)) throw new TypeError("not a syntax tree");
  return value;
}

/** Of an identifier. */
function nameOf(value: unknown): unknown {
  return isNode(value) && value.type === "Identifier" ? value.name : undefined;
}

function literal(value: unknown): string | undefined {
  return isNode(value) && value.type === "Literal" && typeof value.value === "string" ? value.value : undefined;
}

/** `import { type A }` leaves nothing when types are stripped, but for the import itself; no such module starts anything. */
function onlyTypes(specifiers: unknown): boolean {
  return (
    Array.isArray(specifiers) &&
    specifiers.length > 0 &&
    specifiers.every((each) => isNode(each) && each.importKind === "type")
  );
}
