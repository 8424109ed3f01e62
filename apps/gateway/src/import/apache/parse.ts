import { ImportError } from "../imported.ts";

/** A directive of Apache, or a section with the directives in it. */
export interface Directive {
  /** In lower case: names are compared without regard to case. */
  readonly name: string;
  readonly parameters: readonly string[];
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly section?: readonly Directive[];
}

/**
 * Parses a configuration of Apache: a directive a line, continued by a backslash at its end.
 *
 * @throws {ImportError} with the line of a section that is not closed, or that was not opened.
 */
export function parseApache(text: string, file: string): readonly Directive[] {
  const lines = logicalLines(text);
  let at = 0;

  function directives(open: { name: string; line: number } | undefined): readonly Directive[] {
    const found: Directive[] = [];
    for (;;) {
      const current = lines[at++];
      if (current === undefined) {
        if (open === undefined) return found;
        throw new ImportError(`${file}:${open.line}: the section ${open.name} is not closed`);
      }
      const { text: content, line } = current;
      const closing = /^<\/\s*([A-Za-z]+)\s*>$/.exec(content)?.[1]?.toLowerCase();
      if (closing !== undefined) {
        if (closing === open?.name) return found;
        throw new ImportError(`${file}:${line}: unexpected </${closing}>`);
      }
      const opening = /^<\s*([A-Za-z]+)\b(.*)>$/.exec(content);
      if (opening !== null) {
        const [, name = "", rest = ""] = opening;
        const lowerCase = name.toLowerCase();
        const head = { name: lowerCase, parameters: wordsOf(rest), file, line };
        found.push({ ...head, section: directives({ name: lowerCase, line }) });
      } else {
        const [name = "", ...parameters] = wordsOf(content);
        found.push({ name: name.toLowerCase(), parameters, file, line });
      }
    }
  }

  return directives(undefined);
}

function logicalLines(text: string): readonly { text: string; line: number }[] {
  const lines: { text: string; line: number }[] = [];
  let before = "";
  let start = 1;
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    if (before === "") start = index + 1;
    if (raw.endsWith("\\")) {
      before += `${raw.slice(0, -1)} `;
      continue;
    }
    const whole = `${before}${raw}`.trim();
    before = "";
    if (whole !== "" && !whole.startsWith("#")) lines.push({ text: whole, line: start });
  }
  return lines;
}

/** Words, of which some are quoted; within quotes a backslash takes the meaning of a quote away. */
function wordsOf(text: string): string[] {
  return [...text.matchAll(/"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|(\S+)/g)].map(
    ([, double, single, plain]) => plain ?? (double ?? single ?? "").replace(/\\(["'\\])/g, "$1"),
  );
}
