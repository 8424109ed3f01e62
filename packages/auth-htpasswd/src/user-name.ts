import { isStreamSafe } from "@registry-gate/auth-kit";

/** As many UTF-16 units as a login's user name may have at the gate. */
const LONGEST = 512;

/** A name in Normalization Form C, or why nobody can have it. The fault is one line and never quotes the name. */
export type NameReading =
  | { readonly name: string; readonly fault?: never }
  | { readonly fault: string; readonly name?: never };

/** Reads the name of a user or of a group. It is only normalised once it is known to be short: see {@link isStreamSafe}. */
export function readName(text: string): NameReading {
  if (text === "") return { fault: "is empty" };
  if (text.length > LONGEST) return { fault: `is longer than ${LONGEST} characters` };
  if (/\p{Cc}/u.test(text)) return { fault: "has a control character in it" };
  if (!isStreamSafe(text)) return { fault: "has more than 30 combining marks in a row" };
  return { name: text.normalize("NFC") };
}
