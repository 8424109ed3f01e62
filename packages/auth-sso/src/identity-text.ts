import { isStreamSafe } from "@registry-gate/auth-kit";

/** A text that was read, or why it cannot be. The fault is for the log and never quotes the text. */
export type Reading = { readonly text: string; readonly fault?: never } | { readonly fault: string };

/** As many UTF-16 units as the gate allows in the user name of a Basic login. */
const LONGEST_NAME = 512;

/** Controls and line separators: a log must not break at them. */
const CONTROLS = /[\p{Cc}\p{Zl}\p{Zp}]/u;
/** Format characters cannot be seen: two names that look alike must not differ by them (RFC 8264, section 4.2). */
const INVISIBLE = /\p{Cf}/u;

/**
 * Judges a text that people read, such as a display name.
 *
 * @returns the text in Normalization Form C; a fault for one that is empty, over-long, not well-formed Unicode, or holds
 * a control, a line separator or too many combining marks.
 */
export function readText(text: string): Reading {
  if (text === "") return { fault: "is empty" };
  if (text.length > LONGEST_NAME) return { fault: `is longer than ${LONGEST_NAME} characters` };
  if (!text.isWellFormed()) return { fault: "is not well-formed Unicode" };
  if (!isStreamSafe(text)) return { fault: "holds more than 30 combining marks in a row" };
  return CONTROLS.test(text) ? { fault: "holds a control character" } : { text: text.normalize("NFC") };
}

/**
 * Judges the name of a user or of a group, which rules compare.
 *
 * @returns as {@link readText}; a fault as well for a name with an invisible character, or with white space at an end.
 */
export function readName(name: string): Reading {
  if (INVISIBLE.test(name)) return { fault: "holds an invisible character" };
  if (name.trim() !== name) return { fault: "has white space at an end" };
  return readText(name);
}
