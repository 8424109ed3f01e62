/** Characters that control a terminal, or in which order it shows others. */
const controlling = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;

/** Text of a client, a server or a file: it must not control the terminal that it is printed to. */
export function printable(text: string): string {
  return text.replace(controlling, "\ufffd");
}

/**
 * JSON for a person or a program: the same value as by `JSON.stringify`, without a character that controls a terminal.
 *
 * @param indentation In spaces. Without it, it is one line.
 */
export function printableJson(value: unknown, indentation?: number): string {
  const text = JSON.stringify(value, undefined, indentation) ?? "null";
  // The line ends of the indentation are no part of a value.
  return text.replace(controlling, (character) =>
    character === "\n" ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
