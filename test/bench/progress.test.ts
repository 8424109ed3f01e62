import { describe, expect, test } from "vitest";
import { createProgress } from "./progress.ts";

function record(isTTY: boolean): string {
  let written = "";
  let now = 0;
  const output = { isTTY, columns: 40, write: (text: string) => (written += text) };
  const progress = createProgress(output, 2, () => now);
  progress.begin("reads");
  now = 1600;
  progress.now("round 1 of 3, which is said in more words than a line has");
  progress.clear();
  progress.end();
  progress.begin("uploads");
  now = 3000;
  progress.end();
  return written;
}

describe("progress", () => {
  test("is one line of a terminal, which is written over and left empty", () => {
    const lines = record(true).split("\r\x1b[K");
    expect(lines).toEqual([
      "",
      "[1/2] reads, 0 s: starting",
      "[1/2] reads, 2 s: round 1 of 3, which i",
      "",
      "",
      "[2/2] uploads, 0 s: starting",
      "",
    ]);
  });

  test("is a line a part elsewhere, without control characters", () => {
    expect(record(false)).toBe("[1/2] reads: 2 s\n[2/2] uploads: 1 s\n");
  });
});
