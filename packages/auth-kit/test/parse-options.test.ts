import { formatFault, InvalidOptionsError } from "@registry-gate/auth";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { optionFaults, parseOptions } from "../src/options/parse-options.ts";

const schema = z.strictObject(
  {
    file: z.string("must be text"),
    size: z.int("must be a number").exactOptional(),
    cache: z
      .union([z.literal(false), z.strictObject({ ttl: z.int("must be a number") })], "must be false, or hold ttl")
      .exactOptional(),
    list: z
      .array(z.strictObject({ name: z.string("must be text") }, "must hold name"), "must be a list")
      .exactOptional(),
  },
  "must be an object with file",
);

const told = (options: unknown): string[] => [...optionFaults(schema, options)].map(formatFault);

test.each<[options: unknown, faults: string[]]>([
  [{ file: "a" }, []],
  [undefined, ["must be an object with file"]],
  [null, ["must be an object with file"]],
  [[], ["must be an object with file"]],
  [{}, ["file: is required"]],
  [{ file: 1 }, ["file: must be text"]],
  [{ file: null }, ["file: must be text"]],
  [{ file: undefined }, ["file: is undefined: leave it out, or give it a value"]],
  [{ file: "a", size: undefined }, ["size: is undefined: leave it out, or give it a value"]],
  [{ file: "a", siez: 1 }, ["siez: is not a known key; did you mean size?"]],
  [{ file: "a", unlike: 1 }, ["unlike: is not a known key"]],
  [{ file: "a", list: "b" }, ["list: must be a list"]],
  [
    { file: "a", list: [{}, { nam: "b" }, 5] },
    [
      "list[0].name: is required",
      "list[1].name: is required",
      "list[1].nam: is not a known key; did you mean name?",
      "list[2]: must hold name",
    ],
  ],
])("of %j it tells %j", (options, faults) => {
  expect(told(options)).toEqual(faults);
});

describe("of alternatives", () => {
  test.each<[cache: unknown, faults: string[]]>([
    [false, []],
    [{ ttl: 1 }, []],
    [true, ["cache: must be false, or hold ttl"]],
    [{ ttl: "1s" }, ["cache.ttl: must be a number"]],
    [{ ttl: 1, tl: 2 }, ["cache.tl: is not a known key; did you mean ttl?"]],
    [{}, ["cache.ttl: is required"]],
  ])("%j is judged by the one that was meant", (cache, faults) => {
    expect(told({ file: "a", cache })).toEqual(faults);
  });
});

test("what is parsed has every fault in its error, or is returned", () => {
  expect(parseOptions(schema, { file: "a" })).toEqual({ file: "a" });
  expect(() => parseOptions(schema, { fil: 1, size: "x" })).toThrow(InvalidOptionsError);
  expect(() => parseOptions(schema, { fil: 1, size: "x" })).toThrow(
    ["file: is required", "size: must be a number", "fil: is not a known key; did you mean file?"].join("\n"),
  );
});

test("a fault is made when it is asked for", () => {
  const [first] = optionFaults(schema, { file: 1, size: "x" });
  expect(first).toEqual({ path: ["file"], message: "must be text" });
});
