import type { TextReading } from "../text-reading.ts";
import { isRobotName } from "./robot-name.ts";
import { isStreamSafe } from "./stream-safe.ts";

/** How many UTF-16 code units a name may have: as many as the gate allows in the user name of a Basic login. */
export const maxNameLength = 512;

/** Controls and separators of lines: a log must not break at them. */
const CONTROLS = /[\p{Cc}\p{Zl}\p{Zp}]/u;
/** Format characters have no width: two names that look alike must not differ by them (RFC 8264, section 4.2). */
const INVISIBLE = /\p{Cf}/u;
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
/** What most names are. Normalization changes nothing there. */
const PLAIN = /^[!-~]+$/;

/**
 * Reads a text that people see, such as a display name.
 *
 * @param maxLength In UTF-16 code units.
 * @returns the text in Normalization Form C; a fault for one that is empty, over-long, not well-formed Unicode, or holds a
 * control, a line separator or too many combining marks.
 */
export function readText(text: string, maxLength: number = maxNameLength): TextReading {
  if (text === "") return { fault: "is empty" };
  if (text.length > maxLength) return { fault: `is longer than ${maxLength} characters` };
  if (PLAIN.test(text)) return { text };
  if (!text.isWellFormed()) return { fault: "is not well-formed Unicode" };
  if (!isStreamSafe(text)) return { fault: "holds more than 30 combining marks in a row" };
  return CONTROLS.test(text) ? { fault: "holds a control character" } : { text: text.normalize("NFC") };
}

/**
 * Reads the name of a user, which rules compare.
 *
 * @returns as {@link readText}; a fault as well for a name with an invisible character, with white space at an end, or that
 * begins as those of robots do.
 */
export function readName(name: string): TextReading {
  return isRobotName(name) ? { fault: "is reserved for robots" } : readVisibleName(name);
}

function readVisibleName(name: string): TextReading {
  if (INVISIBLE.test(name)) return { fault: "holds an invisible character" };
  if (name.trim() !== name) return { fault: "has white space at an end" };
  return readText(name);
}

/** The name of a group, or why no rule that allows can name the group. The fault is one line and never quotes the name. */
export type GroupNameReading =
  | { readonly name: string; readonly fault?: never }
  | {
      readonly fault: string;
      readonly name?: never;
      /** What a rule that denies may call the group all the same: the name as it is, and what can be seen of it. */
      readonly possibleNames: readonly string[];
    };

/** Reads the name of a group. White space around it does not belong to it; otherwise it is read as {@link readName} does. */
export function readGroupName(written: string): GroupNameReading {
  // `trim` takes the byte order mark for white space; it is a format character.
  const name = INVISIBLE.test(written) ? written : written.trim();
  const reading = readVisibleName(name);
  if (reading.fault === undefined) return { name: reading.text };
  return { fault: reading.fault, possibleNames: possibleNames(name) };
}

/** Names that can be compared with those in rules: bounded before they are normalised. */
function possibleNames(name: string): readonly string[] {
  if (!name.isWellFormed() || !isStreamSafe(name)) return [];
  const seen = name.replace(UNSEEN, "").trim();
  // A mark may have come to stand behind others, where something between them was taken out.
  const names = isStreamSafe(seen) ? [name, seen] : [name];
  return [...new Set(names.map((text) => text.normalize("NFC")))].filter((text) => text !== "");
}
