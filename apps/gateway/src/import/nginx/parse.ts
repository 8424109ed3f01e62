import { ImportError } from "../imported.ts";

/** A directive of nginx, with the directives of its block where it has one. */
export interface Directive {
  readonly name: string;
  readonly parameters: readonly string[];
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly block?: readonly Directive[];
}

interface Token {
  readonly text: string;
  readonly line: number;
  /** A quoted `;` or `{` is none. */
  readonly quoted: boolean;
}

/**
 * Parses a configuration of nginx. Includes are left as they are.
 *
 * @throws {ImportError} with the line of what cannot be parsed.
 */
export function parseNginx(text: string, file: string): readonly Directive[] {
  const tokens = tokensOf(text, file);
  let at = 0;

  function blockOf(opened: number | undefined): readonly Directive[] {
    const directives: Directive[] = [];
    for (;;) {
      const first = tokens[at];
      if (first === undefined) {
        if (opened === undefined) return directives;
        throw new ImportError(`${file}:${opened}: the block is not closed`);
      }
      if (isSign(first, "}")) {
        if (opened === undefined) throw new ImportError(`${file}:${first.line}: unexpected }`);
        at++;
        return directives;
      }
      directives.push(directive(first));
    }
  }

  function directive(first: Token): Directive {
    const parameters: string[] = [];
    if (isSign(first, ";") || isSign(first, "{"))
      throw new ImportError(`${file}:${first.line}: unexpected ${first.text}`);
    for (at++; ; at++) {
      const token = tokens[at];
      if (token === undefined || isSign(token, "}")) {
        throw new ImportError(`${file}:${first.line}: ${first.text} does not end with ;`);
      }
      const head = { name: first.text, parameters, file, line: first.line };
      if (isSign(token, ";")) {
        at++;
        return head;
      }
      if (isSign(token, "{")) {
        at++;
        return { ...head, block: blockOf(first.line) };
      }
      parameters.push(token.text);
    }
  }

  return blockOf(undefined);
}

function isSign({ text, quoted }: Token, sign: string): boolean {
  return !quoted && text === sign;
}

function tokensOf(text: string, file: string): readonly Token[] {
  const tokens: Token[] = [];
  let line = 1;
  let at = 0;
  const next = (): string => {
    const sign = text[at++] ?? "";
    if (sign === "\n") line++;
    return sign;
  };
  while (at < text.length) {
    const sign = text[at] ?? "";
    const start = line;
    if (/\s/.test(sign)) next();
    else if (sign === "#") while (at < text.length && text[at] !== "\n") next();
    else if (sign === ";" || sign === "{" || sign === "}") tokens.push({ text: next(), line: start, quoted: false });
    else if (sign === '"' || sign === "'") {
      next();
      let value = "";
      for (;;) {
        if (at >= text.length) throw new ImportError(`${file}:${start}: the quotation is not closed`);
        const inner = next();
        if (inner === sign) break;
        // nginx leaves other escapes as they are, for the regular expressions that they stand in.
        if (inner === "\\" && /["'\\]/.test(text[at] ?? "")) value += next();
        else value += inner;
      }
      tokens.push({ text: value, line: start, quoted: true });
    } else {
      let value = "";
      while (at < text.length && !/[\s;{]/.test(text[at] ?? "")) {
        value += next();
        if (value.endsWith("\\")) value = value.slice(0, -1) + escaped(next());
        // The braces of a variable.
        if (value.endsWith("$") && text[at] === "{") while (at < text.length && !value.endsWith("}")) value += next();
      }
      tokens.push({ text: value, line: start, quoted: false });
    }
  }
  return tokens;
}

function escaped(sign: string): string {
  return /["'\\;{}\s]/.test(sign) ? sign : `\\${sign}`;
}
