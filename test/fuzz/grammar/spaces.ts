/** Bytes beyond ASCII and controls, as a character each. */

const utf8 = (text: string): string => Buffer.from(text, "utf8").toString("latin1");

/** What somebody takes for white space, or for nothing at all. */
export const spaces: readonly string[] = [
  " ",
  "\t",
  "\u000b",
  "\u000c",
  "\u0085",
  "\u00a0",
  ...["\u0085", "\u00a0", "\u1680", "\u2000", "\u2003", "\u200a", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000"].map(
    utf8,
  ),
  ...["\u200b", "\u2060", "\ufeff", "\u00ad", "\u180e"].map(utf8),
];

/** Letters that somebody folds to ASCII, and bytes that no encoding has. */
export const strangers: readonly string[] = [
  ...["\u212a", "\u017f", "\uff41", "\u0131", "é", "ß", "ф", "😀", "\u202e"].map(utf8),
  "\u00e9",
  "\u00ff",
  "\u00c0\u0080",
  "\u00ed\u00a0\u0080",
  "\u0000",
  "\u0001",
  "\u007f",
  "\u009b",
];
