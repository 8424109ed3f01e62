import { expect, it } from "vitest";
import { isStreamSafe } from "../src/index.ts";

const marks = (count: number): string => "\u0345\u0334".repeat(count).slice(0, count);

it.each([
  ["", true],
  ["alice", true],
  ["Zalgo", true],
  [`a${marks(30)}`, true],
  [`a${marks(30)}b${marks(30)}`, true],
  [marks(30), true],
  [`a${marks(31)}`, false],
  [marks(31), false],
  [`${"a".repeat(5000)}${marks(31)}`, false],
  [`a${marks(30)}b${marks(31)}c`, false],
  [`a${marks(4200)}`, false],
  // Outside of the basic plane: musical combining stems.
  [`a${"\u{1d165}".repeat(31)}`, false],
])("judges %j as stream-safe: %s", (text, safe) => {
  expect(isStreamSafe(text)).toBe(safe);
});

it.each(["NFD", "NFKD"])("counts every character that %s moves", (form) => {
  const moved: string[] = [];
  for (let code = 0; code <= 0x10ffff; code++) {
    const character = String.fromCodePoint(code);
    // The mark before it has the highest class of all but a few: what has a lower one goes in front of it.
    const moves = !`\u0345${character}`.normalize(form).startsWith("\u0345");
    if (moves && isStreamSafe(character.repeat(31))) moved.push(code.toString(16));
  }
  expect(moved).toEqual([]);
});
