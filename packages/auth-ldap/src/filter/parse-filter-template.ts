import type { FilterTemplate, Placeholder, TemplateValue } from "./filter-template.ts";

/**
 * Compiles a filter in its string representation (RFC 4515), in which `{{username}}` and `{{dn}}` stand for values. White
 * space between the parts is ignored.
 *
 * @param placeholders The placeholders that may be used.
 * @returns what is wrong with it, where it cannot be used.
 */
export function parseFilterTemplate(
  text: string,
  placeholders: readonly Placeholder[],
): { readonly template: FilterTemplate; readonly used: ReadonlySet<Placeholder> } | { readonly fault: string } {
  const used = new Set<Placeholder>();
  const reader: Reader = { text: text.trim(), position: 0, placeholders, used };
  try {
    const template = readFilter(reader, 0);
    if (reader.position < reader.text.length) fail(reader, "something stands behind the closing parenthesis");
    return { template, used };
  } catch (error) {
    if (error instanceof FilterSyntaxError) return { fault: error.message };
    throw error;
  }
}

class FilterSyntaxError extends Error {}

interface Reader {
  readonly text: string;
  position: number;
  readonly placeholders: readonly Placeholder[];
  readonly used: Set<Placeholder>;
}

const DEEPEST = 32;

function fail(reader: Reader, what: string): never {
  throw new FilterSyntaxError(`is not a search filter: ${what}, at character ${reader.position + 1}`);
}

function skipSpace(reader: Reader): void {
  while (/\s/.test(reader.text.charAt(reader.position))) reader.position++;
}

function expect(reader: Reader, character: string): void {
  if (reader.text[reader.position] !== character) fail(reader, `${character} is expected`);
  reader.position++;
}

function readFilter(reader: Reader, depth: number): FilterTemplate {
  if (depth > DEEPEST) fail(reader, "it is nested too deeply");
  expect(reader, "(");
  skipSpace(reader);
  const sign = reader.text[reader.position];
  let filter: FilterTemplate;
  if (sign === "&" || sign === "|") {
    reader.position++;
    filter = { kind: sign === "&" ? "and" : "or", filters: readList(reader, depth) };
  } else if (sign === "!") {
    reader.position++;
    skipSpace(reader);
    filter = { kind: "not", filter: readFilter(reader, depth + 1) };
    skipSpace(reader);
  } else {
    filter = readItem(reader);
  }
  expect(reader, ")");
  return filter;
}

function readList(reader: Reader, depth: number): FilterTemplate[] {
  const filters: FilterTemplate[] = [];
  for (;;) {
    skipSpace(reader);
    if (reader.text[reader.position] !== "(") break;
    filters.push(readFilter(reader, depth + 1));
  }
  if (filters.length === 0) fail(reader, "( is expected");
  return filters;
}

const ATTRIBUTE = "(?:[A-Za-z][A-Za-z0-9-]*|\\d+(?:\\.\\d+)+)(?:;[A-Za-z0-9-]+)*";
const SIMPLE = new RegExp(`^(${ATTRIBUTE})(=|>=|<=|~=)`);
const EXTENSIBLE = new RegExp(`^(${ATTRIBUTE})?(:[dD][nN])?(?::([A-Za-z][A-Za-z0-9-]*|\\d+(?:\\.\\d+)+))?:=`);

function readItem(reader: Reader): FilterTemplate {
  const rest = reader.text.slice(reader.position);
  const [simple, attribute, operator] = SIMPLE.exec(rest) ?? [];
  if (simple !== undefined && attribute !== undefined) {
    reader.position += simple.length;
    if (operator === "=") return readEquality(reader, attribute);
    const kind = operator === ">=" ? "atLeast" : operator === "<=" ? "atMost" : "approximately";
    return { kind, attribute, value: readText(reader) };
  }
  const [extensible, target, dnAttributes, rule] = EXTENSIBLE.exec(rest) ?? [];
  if (extensible === undefined || (target === undefined && rule === undefined)) {
    return fail(reader, "an attribute with =, >=, <=, ~= or := is expected");
  }
  reader.position += extensible.length;
  const value = readText(reader);
  return { kind: "extensible", attribute: target, rule, dnAttributes: dnAttributes !== undefined, value };
}

function readEquality(reader: Reader, attribute: string): FilterTemplate {
  const values = [readValue(reader)];
  while (reader.text[reader.position] === "*") {
    reader.position++;
    values.push(readValue(reader));
  }
  const [initial = [], ...others] = values;
  const final = others.pop();
  if (final === undefined) return { kind: "equal", attribute, value: initial };
  if (others.length === 0 && initial.length === 0 && final.length === 0) return { kind: "present", attribute };
  if (others.some((value) => value.length === 0)) fail(reader, "there is nothing between two *");
  for (const value of values) requireText(reader, value);
  return { kind: "substring", attribute, initial, any: others, final };
}

function readText(reader: Reader): TemplateValue {
  const value = readValue(reader);
  requireText(reader, value);
  return value;
}

function requireText(reader: Reader, value: TemplateValue): void {
  const bytes = Buffer.concat(value.filter((part) => Buffer.isBuffer(part)));
  if (!Buffer.from(bytes.toString("utf8")).equals(bytes)) fail(reader, "the value is not UTF-8");
}

function readValue(reader: Reader): TemplateValue {
  const { text, placeholders, used } = reader;
  const parts: (Buffer | { placeholder: Placeholder })[] = [];
  let bytes: Buffer[] = [];
  const flush = (): void => {
    if (bytes.length > 0) parts.push(Buffer.concat(bytes));
    bytes = [];
  };
  for (;;) {
    const rest = text.slice(reader.position);
    const [written, name] = /^\{\{([^{}]*)\}\}/.exec(rest) ?? [];
    const [escaped, digits] = /^\\([0-9A-Fa-f]{2})/.exec(rest) ?? [];
    const [plain] = /^(?:(?!\{\{)[^()*\\\0])+/.exec(rest) ?? [];
    if (written !== undefined) {
      const placeholder = placeholders.find((known) => known === name?.trim());
      if (placeholder === undefined) fail(reader, `${written} is not known here`);
      flush();
      parts.push({ placeholder });
      used.add(placeholder);
      reader.position += written.length;
    } else if (escaped !== undefined && digits !== undefined) {
      bytes.push(Buffer.from(digits, "hex"));
      reader.position += escaped.length;
    } else if (plain !== undefined) {
      bytes.push(Buffer.from(plain));
      reader.position += plain.length;
    } else break;
  }
  const next = text[reader.position];
  if (next === "\\") fail(reader, "two hexadecimal digits are expected behind \\");
  if (next === "{") fail(reader, "{{ does not begin a known placeholder");
  flush();
  return parts;
}
