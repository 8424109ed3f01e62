import { describe, expect, test } from "vitest";
import { cellOf, readTable, writeTable } from "./table.ts";

const table = new Map([
  ["client", ["pull", "push"]],
  ["docker", ["yes", "`denied: not here`"]],
]);

describe("a table of clients", () => {
  test("is read as it is written", () => {
    expect(readTable(`# Clients\n\n## One\n\n${writeTable(table)}\n\n## Two\n`, "One")).toEqual(table);
  });

  test("is that of its heading alone", () => {
    const page = `## One\n\n## Two\n\n${writeTable(table)}\n\ntext\n\n| client | other |\n`;
    expect(readTable(page, "One")).toEqual(new Map());
    expect(readTable(page, "Two")).toEqual(table);
    expect(readTable(page, "Three")).toEqual(new Map());
  });
});

describe("a cell of what a client was refused", () => {
  const words = "error at 10:20:\n denied: not here, `sha256:1`";

  test("keeps the words of the documentation where the client said them", () => {
    expect(cellOf({ ok: false, words }, "`error at 10:20: denied: not here`")).toBe(
      "`error at 10:20: denied: not here`",
    );
  });

  test("has the note where there is one, and it was done", () => {
    expect(cellOf({ ok: true, words, note: "yes, at once" }, undefined)).toBe("yes, at once");
    expect(cellOf({ ok: false, words: "denied", note: "yes, at once" }, undefined)).toBe("`denied`");
  });

  test.each([
    ["is not kept where the client did it", true, "`denied: not here`", "yes"],
    ["has the client's words where the documentation has others", false, "`unauthorized`", undefined],
    ["has the client's words where the documentation says that it did it", false, "yes", undefined],
    ["has the client's words where the documentation has next to nothing", false, "`d`", undefined],
    ["has the client's words where the documentation has none", false, undefined, undefined],
  ])("%s", (_, ok, kept, expected) => {
    expect(cellOf({ ok, words }, kept)).toBe(expected ?? "`error at 10:20: denied: not here, 'sha256:1'`");
  });
});
