import { type Grammar, longestList, quotedString, restrictedName, tokenCharacter } from "./grammar.ts";
import { remembered } from "./remembered.ts";

const token = `[${tokenCharacter}]+`;
const name = `\\*|${restrictedName}`;
const item = new RegExp(`(${name})(?:/(${name}))?`, "y");
const parameter = new RegExp(`[\\t ]*;(?:[\\t ]*(${token})=(?:(${token})|(${quotedString})))?`, "y");
const quotedToken = new RegExp(`^"(${token})"$`);
/** Empty elements are to be overlooked (RFC 9110, section 5.6.1.2). */
const separator = /[\t ]*(?:,[\t ,]*|$)/y;
const begin = /[\t ,]*/y;

type WriteItem = (first: string, second: string | undefined) => string | undefined;

/**
 * A list whose elements have parameters. A parameter whose value is not a token is outside the grammar even in quotes:
 * docker-registry splits at every comma, within quotes too, and would find elements there that nobody else sees.
 */
function weightedList(value: string, writeItem: WriteItem): string | undefined {
  if (value.length > longestList) return undefined;
  let at = end(begin, value, 0);
  let list = "";
  while (at < value.length) {
    item.lastIndex = at;
    const found = item.exec(value);
    const element = found?.[1] === undefined ? undefined : writeItem(found[1], found[2]);
    if (element === undefined) return undefined;
    list += list === "" ? element : `, ${element}`;
    at = item.lastIndex;
    for (;;) {
      parameter.lastIndex = at;
      const further = parameter.exec(value);
      if (further === null) break;
      at = parameter.lastIndex;
      const [, name, plain, quoted = ""] = further;
      if (name === undefined) continue;
      const content = plain ?? quotedToken.exec(quoted)?.[1];
      if (content === undefined) return undefined;
      list += `;${name.toLowerCase()}=${content}`;
    }
    const next = end(separator, value, at);
    if (next === -1) return undefined;
    at = next;
  }
  return list === "" ? undefined : list;
}

/** Where the sticky expression ends when it is matched at `at`; -1 where it does not match. */
function end(expression: RegExp, value: string, at: number): number {
  expression.lastIndex = at;
  return expression.test(value) ? expression.lastIndex : -1;
}

/** `Accept` (RFC 9110, section 12.5.1). A lone `*`, which Java's own client sends, means every type. */
export const accept: Grammar = remembered((value) => weightedList(value, writeMediaRange));

function writeMediaRange(type: string, subtype: string | undefined): string | undefined {
  if (subtype === undefined) return type === "*" ? "*/*" : undefined;
  if (type === "*" && subtype !== "*") return undefined;
  return `${type}/${subtype}`.toLowerCase();
}

/** `Accept-Encoding` (RFC 9110, section 12.5.3). */
export const acceptEncoding: Grammar = remembered((value) =>
  weightedList(value, (coding, rest) => (rest === undefined ? coding.toLowerCase() : undefined)),
);
