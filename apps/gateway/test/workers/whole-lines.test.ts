import { expect, test } from "vitest";
import { wholeLines } from "../../src/workers/whole-lines.ts";

test("passes on whole lines alone, wherever the chunks are cut, and drops what has no end", () => {
  const text = '{"a":"ä€😀"}\n{"b":1}\n\n{"c":2}\n{"half';
  const bytes = Buffer.from(text);
  for (let size = 1; size <= bytes.length; size++) {
    const taken: string[] = [];
    const take = wholeLines((lines) => taken.push(lines));
    for (let from = 0; from < bytes.length; from += size) take(bytes.subarray(from, from + size));
    expect(taken.every((lines) => lines.endsWith("\n"))).toBe(true);
    expect(taken.join("")).toBe(text.slice(0, text.lastIndexOf("\n") + 1));
  }
});
