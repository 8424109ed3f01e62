import { parseSync } from "oxc-parser";

/** A text that a user may read. */
export interface Message {
  /** Where it appears; `text` where the source alone does not show that, such as a part of a longer message. */
  readonly kind: MessageKind;
  /** With `{…}` for what is filled in, and each run of white space as one space. */
  readonly text: string;
}

export type MessageKind = "error" | "fault" | "log" | "output" | "reason" | "response" | "text";

interface SyntaxNode {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** What surrounds an expression. */
interface Position {
  readonly kind: MessageKind;
  /** Whether a text here is a message even if it does not look like a sentence. */
  readonly certain: boolean;
}

const hole = "{…}";
const elsewhere: Position = { kind: "text", certain: false };
const logLevels = /^(?:debug|info|warn|error|fatal)$/;
/** Properties whose texts are read by editors, by code or by nobody, and that are no messages. */
const unread = /^(?:description|\$comment|pattern|examples)$/;
/** Two words in a row. */
const sentence = /\p{L}{2,}[’',;:.)\]"`]*\s+[\p{L}({`"]/u;
/** Values of headers, queries and options of programs, which also have spaces. */
const technical = /^(?:[\w.+-]+\/[\w.+*-]+;|[\w-]+=[^ ]*;|max-age=|private, |no-store|GET, |-----BEGIN|<\/|script-src)/;

/**
 * Finds the texts in a TypeScript source that a user may read: messages of errors, faults and responses, log lines,
 * reasons, and the output of commands. A text that is none of these by its place is listed if it has two words in a row,
 * so that a message that is put together elsewhere is found too.
 *
 * @returns them in the order of the source.
 * @throws {SyntaxError} if the source cannot be parsed.
 */
export function collectMessages(file: string, source: string): readonly Message[] {
  const { program, errors } = parseSync(file, source, { lang: "ts" });
  const [fault] = errors;
  if (fault !== undefined) throw new SyntaxError(`${file}: ${fault.message}`);
  const messages: Message[] = [];

  function add(template: string, { kind, certain }: Position): void {
    const text = template.replace(/\s+/g, " ").trim();
    const words = text.replaceAll(hole, "");
    if (!/\p{L}{2}/u.test(words) || technical.test(text)) return;
    if (certain || sentence.test(text)) messages.push({ kind, text });
  }

  function visit(value: unknown, position: Position): void {
    if (Array.isArray(value)) for (const item of value) visit(item, position);
    if (!isNode(value)) return;
    const template = templateOf(value);
    if (template === undefined) {
      visitNode(value, position);
      return;
    }
    add(template, position);
    for (const part of filledIn(value)) visit(part, { ...position, certain: false });
  }

  function visitNode(node: SyntaxNode, position: Position): void {
    switch (node.type) {
      case "ImportDeclaration":
      case "ExportAllDeclaration":
        break;
      case "ExportNamedDeclaration":
        visit(node.declaration, elsewhere);
        break;
      case "CallExpression":
      case "NewExpression":
        visitCall(node);
        break;
      case "ObjectExpression":
        visitObject(node, position);
        break;
      case "ConditionalExpression":
        visit(node.test, elsewhere);
        for (const branch of [node.consequent, node.alternate]) visit(branch, position);
        break;
      case "LogicalExpression":
        for (const side of [node.left, node.right]) visit(side, position);
        break;
      case "BinaryExpression":
        // A text that is compared with is no message.
        if (node.operator === "+") for (const side of [node.left, node.right]) visit(side, position);
        break;
      default:
        if (!isType(node)) visitParts(node, position);
    }
  }

  function visitParts(node: SyntaxNode, position: Position): void {
    for (const [key, child] of Object.entries(node)) {
      if (key === "key" && node.computed !== true) continue;
      visit(child, { ...nameOf(node, position), certain: false });
    }
  }

  function visitCall(call: SyntaxNode): void {
    visit(call.callee, elsewhere);
    const parameters = Array.isArray(call.arguments) ? call.arguments : [];
    const place = placeOfCall(call);
    for (const [index, parameter] of parameters.entries()) {
      visit(parameter, place !== undefined && index >= place.from ? place : elsewhere);
    }
  }

  function visitObject(object: SyntaxNode, position: Position): void {
    const properties: readonly unknown[] = Array.isArray(object.properties) ? object.properties : [];
    const keys = properties.map((property) => (isNode(property) ? keyOf(property) : undefined));
    for (const [index, property] of properties.entries()) {
      if (!isNode(property)) continue;
      const key = keys[index];
      if (key !== undefined && unread.test(key)) continue;
      if (property.type !== "Property") visit(property, position);
      else visit(property.value, placeOfProperty(key, keys) ?? { ...position, certain: false });
    }
  }

  visit(program.body, elsewhere);
  return messages;
}

/** What the name of a variable says of the texts in its value. */
function nameOf(node: SyntaxNode, position: Position): Position {
  if (node.type !== "VariableDeclarator" || !isNode(node.id)) return position;
  return node.id.name === "reason" ? { kind: "reason", certain: false } : position;
}

function placeOfCall(call: SyntaxNode): (Position & { readonly from: number }) | undefined {
  const { callee } = call;
  if (!isNode(callee)) return undefined;
  const [object, name] = [sourceName(callee.object), sourceName(callee.property) ?? sourceName(callee)];
  if (name === undefined) return undefined;
  if (call.type === "NewExpression") {
    return name.endsWith("Error") ? { kind: "error", certain: true, from: 0 } : undefined;
  }
  if (logLevels.test(name)) return { kind: "log", certain: true, from: 1 };
  if (name === "write" && /^std(?:out|err)$/.test(object ?? "")) return { kind: "output", certain: true, from: 0 };
  if (name === "refuse") return { kind: "response", certain: false, from: 1 };
  return undefined;
}

function placeOfProperty(key: string | undefined, siblings: readonly (string | undefined)[]): Position | undefined {
  if (key === "reason") return { kind: "reason", certain: true };
  if (key !== "message") return undefined;
  return { kind: siblings.includes("status") ? "response" : "fault", certain: true };
}

/** The last name in an expression such as `process.stdout`. */
function sourceName(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === "MemberExpression") return sourceName(node.property);
  return typeof node.name === "string" ? node.name : undefined;
}

function keyOf(property: SyntaxNode): string | undefined {
  const { key } = property;
  if (!isNode(key) || property.computed === true) return undefined;
  if (typeof key.name === "string") return key.name;
  return typeof key.value === "string" ? key.value : undefined;
}

/** The text of a string, of a template, or of several joined by `+`; `undefined` where an expression is none of these. */
function templateOf(node: SyntaxNode): string | undefined {
  if (node.type === "Literal") return typeof node.value === "string" ? node.value : undefined;
  if (node.type === "TemplateLiteral") {
    const quasis: readonly unknown[] = Array.isArray(node.quasis) ? node.quasis : [];
    return quasis.map(cooked).join(hole);
  }
  if (node.type !== "BinaryExpression" || node.operator !== "+") return undefined;
  const [left, right] = [node.left, node.right].map((side) => (isNode(side) ? templateOf(side) : undefined));
  return left === undefined && right === undefined ? undefined : `${left ?? hole}${right ?? hole}`;
}

function cooked(quasi: unknown): string {
  const value = isNode(quasi) ? quasi.value : undefined;
  return typeof value === "object" && value !== null && "cooked" in value && typeof value.cooked === "string"
    ? value.cooked
    : "";
}

/** The expressions in the holes of a text. */
function filledIn(node: SyntaxNode): readonly unknown[] {
  if (node.type === "TemplateLiteral") return Array.isArray(node.expressions) ? node.expressions : [];
  if (node.type !== "BinaryExpression") return [];
  return [node.left, node.right].flatMap((side) =>
    isNode(side) && templateOf(side) !== undefined ? filledIn(side) : [side],
  );
}

/** Whether a node is a type; `x as T` and the like hold an expression too. */
function isType(node: SyntaxNode): boolean {
  return node.type.startsWith("TS") && !("expression" in node);
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}
