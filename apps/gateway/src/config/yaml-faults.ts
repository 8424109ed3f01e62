import type { Fault } from "@registry-gate/auth";
import { type Document, isCollection, visit, type YAMLError } from "yaml";

/** A position in the text, for a fault. */
export type PositionOf = (offset: number) => { readonly line: number; readonly col: number };

interface Problem {
  readonly offset: number;
  readonly message: string;
}

/** What begins something else in YAML than a text, where it is not in quotes. */
const beginnings: Readonly<Record<string, string>> = { "*": "an alias", "!": "a tag", "{": "a map", "[": "a list" };

const quote = "put the value in quotes";
/** As much of a key as is looked at. */
const longestKey = 256;
const noSuchAnchor = `unknown alias; if this is text, ${quote}`;

/** What the YAML library says to programmers, in the words of somebody who writes a configuration. */
const rewordings: readonly (readonly [RegExp, string])[] = [
  [/^Source contains multiple documents/, "must be a single YAML document: a second one begins here"],
  // A regular expression of the library's may be what finds the stack full.
  [/^Maximum call stack size exceeded|^Invalid regular expression: .*Stack overflow$/, "is nested too deeply"],
  [/^Nested mappings are not allowed in compact mappings/, `a value contains a colon and a space: ${quote}`],
  // The same in a map or list in one line.
  [/^Block collections are not allowed within flow collections/, `a value contains a colon and a space: ${quote}`],
  // The token may be part of a password.
  [/^Unexpected .* token in YAML stream/, "is not valid YAML from here on"],
];

/**
 * Everything that keeps a text from being YAML, each fault a line with its position: every value that begins like
 * something else, such as a glob without quotes, and the first fault of any other kind. Others follow from it mostly.
 */
export function yamlFaults(document: Document.Parsed, text: string, positionOf: PositionOf): Fault[] {
  const special = new Map<number, string>();
  const add = (offset: number): void => void special.set(offset, beginsSomething(text[offset] ?? ""));
  for (const { code, pos } of [...document.errors, ...document.warnings]) {
    if (code === "BAD_ALIAS" || code === "TAG_RESOLVE_FAILED") add(pos[0]);
  }
  visit(document, {
    Alias(_, alias) {
      if (alias.resolve(document) !== undefined || alias.range == null) return;
      if (/^[\w-]+$/.test(alias.source)) special.set(alias.range[0], noSuchAnchor);
      else add(alias.range[0]);
    },
    // `{{username}}` is a map whose key is a map.
    Pair(_, { key }) {
      if (isCollection(key) && key.range != null) add(key.range[0]);
    },
  });
  const problems = [...special].map(([offset, message]): Problem => ({ offset, message }));
  const [first] = [...document.errors, ...document.warnings]
    .filter(({ pos: [offset] }) => !special.has(offset))
    .map((error) => ({ offset: error.pos[0], message: explain(error, text) }))
    .sort((one, other) => one.offset - other.offset);
  if (first !== undefined && problems.every(({ offset }) => offset > first.offset)) problems.push(first);
  return problems
    .sort((one, other) => one.offset - other.offset)
    .map(({ offset, message }) => {
      const { line, col } = positionOf(offset);
      return { path: [], message: `line ${line}, column ${col}: ${message}` };
    });
}

function beginsSomething(sign: string): string {
  return `${sign} begins ${beginnings[sign] ?? "something else"} in YAML where a value is not quoted: ${quote}`;
}

function explain({ message, pos: [offset], code }: YAMLError, text: string): string {
  const sign = text[offset] ?? "";
  const before = text[offset - 1] ?? "";
  // In a flow collection a brace within a text is none of the text: `{ url: ${REGISTRY} }`, `[${username}/**]`.
  if ((sign === "{" || sign === "[") && /[^\s,:[{-]/.test(before)) {
    return beginsSomething(sign);
  }
  // In a map in one line a comma ends a value: of `{ bindDN: cn=gate,dc=a, searchBase: dc=a }` there are two keys `dc=a`.
  if (code === "DUPLICATE_KEY" && /^[^\s,{}[\]:"']*=/.test(text.slice(offset, offset + longestKey))) {
    return `a value contains a comma in a flow map: ${quote}`;
  }
  if (/[\]}"']/.test(before) && /[^\s,\]}]/.test(sign)) return `a value continues after YAML ends it: ${quote}`;
  const said = (message.split("\n", 1)[0] ?? "").replace(/ at line \d+, column \d+:?$/, "");
  const reworded = rewordings.find(([pattern]) => pattern.test(said))?.[1] ?? said;
  return code === "BAD_SCALAR_START" ? `${reworded}: ${quote}` : reworded;
}

/**
 * Adds to a fault what helps where YAML took a text for something else: for a number or a boolean, as in
 * `bindPassword: 12345`, or its rest for a key, as in `{ searchBase: dc=example,dc=com }`, where a comma ends a value. Such
 * a key is not named, because it may be the rest of a password.
 */
export function withQuoteHint(fault: Fault, value: unknown): Fault {
  const written = fault.path.reduce<unknown>(
    (node, key) => (typeof node === "object" && node !== null ? Reflect.get(node, key) : undefined),
    value,
  );
  if (written === null && fault.message === "is not a known key") {
    return {
      path: fault.path.slice(0, -1),
      message:
        "has an unknown key without a value; if it is the rest of a value with a comma, put that value in quotes",
    };
  }
  const unquoted = typeof written === "number" || typeof written === "boolean";
  if (!unquoted || !/^must be text$/.test(fault.message)) return fault;
  return { ...fault, message: `${fault.message}: put it in quotes` };
}
