import { describe, expect, test } from "vitest";
import { type Options, readOptions, UsageError, usageOf } from "./options.ts";
import type { Part } from "./part.ts";

const parts: readonly Part[] = ["reads", "slow-clients"].map((name) => ({ name, about: `about ${name}`, steps: [] }));
const read = (...parameters: readonly string[]): Options => readOptions(parameters, parts);

describe("the command line", () => {
  test("without anything means all parts, with an earlier run those that are named", () => {
    expect(read().parts).toBe(parts);
    expect(read("--from", "a.json", "--from", "b.json")).toMatchObject({
      parts: [],
      from: ["a.json", "b.json"],
    });
    expect(read("--from", "a.json", "reads").parts.map(({ name }) => name)).toEqual(["reads"]);
  });

  test("takes parts in any order and runs them in their own", () => {
    const options = read("slow-clients", "--quick", "--json", "-", "reads");
    expect(options.parts).toEqual(parts);
    expect(options).toMatchObject({ quick: true, json: "-" });
  });

  test.each([[["nonsense"]], [["--nonsense"]], [["--json"]], [["--report"]]])("rejects %j", (parameters) => {
    expect(() => readOptions(parameters, parts)).toThrow(UsageError);
  });

  test("has a usage text with every part and every option", () => {
    const usage = usageOf(parts);
    const lines = usage.split("\n").map((line) => line.trim().replace(/ +/g, " "));
    for (const { name, about } of parts) expect(lines).toContain(`${name} ${about}`);
    for (const option of ["quick", "json", "compare", "report", "markdown", "from", "help"])
      expect(usage).toContain(`  --${option} `);
  });
});
