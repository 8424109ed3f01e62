import { type Grammar, longestList, quotedString, restrictedName, tokenCharacter } from "./grammar.ts";
import { remembered } from "./remembered.ts";

const token = `[${tokenCharacter}]+`;
const name = `\\*|${restrictedName}`;
const item = new RegExp(`(${name})(?:/(${name}))?`, "y");
const parameter = new RegExp(`[\\t ]*;(?:[\\t ]*(${token})=(?:(${token})|(${quotedString})))?`, "y");
const quotedToken = new RegExp(`^"(${token})"$`);
/** Empty elements are ignored (RFC 9110, section 5.6.1.2). */
const separator = /[\t ]*(?:,[\t ,]*|$)/y;
const begin = /[\t ,]*/y;

type WriteItem = (first: string, second: string | undefined) => string | undefined;

/**
 * A list whose elements have parameters. A parameter whose value is not a token is invalid, even a quoted one:
 * docker-registry splits at every comma, in quoted strings too, and would find elements that others do not.
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

/** The end of the sticky expression's match at `at`; -1 without a match. */
function end(expression: RegExp, value: string, at: number): number {
  expression.lastIndex = at;
  return expression.test(value) ? expression.lastIndex : -1;
}

/** `Accept` (RFC 9110, section 12.5.1). A single `*`, which Java's own client sends, means every type. */
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
