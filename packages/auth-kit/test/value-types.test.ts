import { durationPattern } from "@registry-gate/auth";
import { expect, test } from "vitest";
import { z } from "zod";
import { durationFault, durationOption, fileOptionsSchema, valueSchema } from "../src/index.ts";

const schema = fileOptionsSchema(
  z.strictObject({
    size: z.int().exactOptional(),
    off: z.union([z.literal(false), z.strictObject({ ttl: z.string() })]).exactOptional(),
    list: z.array(z.strictObject({ flag: z.boolean() })),
    map: z.record(z.string(), z.number()),
    timeout: durationOption("How long").exactOptional(),
    port: z.union([z.int(), z.string()]),
    kind: z.enum(["a", "b"]),
  }),
);

test.each<[(string | number)[], string[]]>([
  [["size"], ["number"]],
  [["off"], ["boolean", "object"]],
  [["off", "ttl"], ["string"]],
  [["list"], ["array"]],
  [["list", 3, "flag"], ["boolean"]],
  [["map", "anything"], ["number"]],
  [["port"], ["number", "string"]],
  [["kind"], ["string"]],
  [["timeout"], ["string"]],
  [["nowhere"], []],
  [["size", "x"], []],
  [["toString"], []],
])("the value at %j can be %j", (path, types) => {
  expect([...valueSchema(schema, path).types].sort()).toEqual(types);
});

test("a duration is text in a file, with its pattern, and keeps its description", () => {
  expect([...valueSchema(schema, ["timeout"]).patterns]).toEqual([durationPattern.source]);
  expect(schema).toMatchObject({ properties: { timeout: { type: "string", description: "How long" } } });
});

test("of a bare number it is said what may have been meant", () => {
  expect(durationFault(5)).toBe("must be a duration with a unit: write 5s");
  expect(durationFault("1.5")).toBe("must be a duration with a unit: write 1.5s");
  for (const value of ["soon", true, {}, "5 s", undefined]) {
    expect(durationFault(value)).toBe("must be a duration such as 500ms, 30s or 15m");
  }
});
