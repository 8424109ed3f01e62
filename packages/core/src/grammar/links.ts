import { tokenCharacter } from "./grammar.ts";

/** A link of a `Link` header. */
export interface Link {
  /** A URI reference as written. */
  readonly target: string;
  /** Its relation types, in lower case. */
  readonly relations: readonly string[];
}

const separators = /[\t ,]*/y;
const reference = /<([^<>"\s]*)>/y;
const semicolon = /[\t ]*;[\t ]*/y;
const parameter = new RegExp(
  `([${tokenCharacter}]+)(?:[\\t ]*=[\\t ]*(?:"((?:[^"\\\\]|\\\\.)*)"|([!#-+\\--:<-~]+)))?`,
  "y",
);
const endOfLink = /[\t ]*(?:,|$)/y;

/** Parses a `Link` header (RFC 8288, section 3). `undefined` where it is malformed. */
export function parseLinks(value: string): readonly Link[] | undefined {
  let at = 0;
  const match = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(value);
    if (found === null) return undefined;
    at += found[0].length;
    return found;
  };
  const links: Link[] = [];
  for (;;) {
    match(separators);
    if (at === value.length) return links;
    const target = match(reference)?.[1];
    if (target === undefined) return undefined;
    let relation: string | undefined;
    while (match(semicolon) !== undefined) {
      const [, name, quoted, token] = match(parameter) ?? [];
      // The first of several counts (RFC 8288, section 3.3).
      if (name?.toLowerCase() === "rel") relation ??= quoted?.replace(/\\(.)/g, "$1") ?? token ?? "";
    }
    if (match(endOfLink) === undefined) return undefined;
    links.push({ target, relations: (relation ?? "").toLowerCase().split(/[\t ]+/) });
  }
}
