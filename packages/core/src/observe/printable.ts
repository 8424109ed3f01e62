// Control, format and surrogate characters, and line separators: Unicode categories C*, Zl and Zp.
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const plain = /^[\x20-\x7e]*$/;

/** Unverified text for a log: truncated to `maxLength` characters, with unprintable ones escaped. */
export function printable(text: string, maxLength: number): string {
  const truncated = text.slice(0, maxLength);
  if (plain.test(truncated)) return truncated;
  return truncated
    .replace(unprintable, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`)
    .slice(0, maxLength);
}
