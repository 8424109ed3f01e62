import { formatFault } from "@registry-gate/auth";
import { describe, expect, test } from "vitest";
import { readConfiguration } from "../src/config/parse.ts";
import { typePlaceholders } from "../src/config/type-placeholders.ts";

const text = `
listen: { address: "\${ADDRESS}", maxConnections: "\${MANY}" }
upstream: { url: "http://r", readTimeout: "\${TIME}" }
auth: { realm: "\${MANY}", backends: [{ type: t, option: "\${MANY}" }], cache: "\${CACHE}" }
limits: { minRate: "\${RATE}" }
log: { attemptedNames: "\${NAMES}" }
workers: "\${MANY}"
`;
const environment = { ADDRESS: "5043", MANY: "20", TIME: "30d", CACHE: "false", RATE: "0", NAMES: "true" };

describe("a value that is one placeholder", () => {
  test("has the type that its key wants: a number, a boolean, or the text as it is", () => {
    const { configuration, faults, placeholders } = readConfiguration(text, environment);
    expect(faults).toEqual([]);
    expect(configuration).toEqual({
      listen: { address: { host: "*", port: 5043 }, maxConnections: 20 },
      upstream: { url: "http://r", readTimeout: 2_592_000_000 },
      auth: { realm: "20", backends: [{ type: "t", option: "20" }], cache: false },
      limits: { minRate: 0 },
      log: { attemptedNames: true },
      workers: 20,
    });
    expect(placeholders).toContainEqual(["auth", "backends", 0, "option"]);
  });

  test("is rejected as text if it is neither", () => {
    const { faults } = readConfiguration(text, { ...environment, MANY: "many", TIME: "5", NAMES: "yes" });
    expect(faults.map(formatFault)).toEqual([
      "listen.maxConnections: must be a whole number",
      "upstream.readTimeout: must be a duration with a unit: write 5s",
      "log.attemptedNames: must be true or false",
      "workers: must be auto or a whole number from 1 to 256",
    ]);
  });

  test("is text where more stands beside it, or where it is quoted in the file", () => {
    const more = text
      .replace('maxConnections: "${MANY}"', 'maxConnections: "${MANY}0"')
      .replace('"${NAMES}"', '"true"');
    expect(readConfiguration(more, environment).faults.map(formatFault)).toEqual([
      "listen.maxConnections: must be a whole number",
      "log.attemptedNames: must be true or false",
    ]);
  });
});

describe("a schema", () => {
  const place = (value: string, schema: unknown): unknown => typePlaceholders({ a: value }, [["a"]], schema);
  const of = (...types: string[]) => ({ properties: { a: { anyOf: types.map((type) => ({ type })) } } });

  test.each([
    ["5", of("integer"), 5],
    ["-1.5", of("number"), -1.5],
    ["5", of("integer", "string"), "5"],
    ["5", { properties: { a: { anyOf: [{ const: "auto" }, { type: "integer" }] } } }, 5],
    ["5", { properties: { a: { anyOf: [{ type: "string", enum: ["5", "auto"] }, { type: "integer" }] } } }, "5"],
    ["many", { properties: { a: { anyOf: [{ const: "auto" }, { type: "integer" }] } } }, "many"],
    ["0x10", of("integer"), "0x10"],
    ["1e3", of("integer"), "1e3"],
    ["", of("integer"), ""],
    ["true", of("boolean"), true],
    ["true", { properties: { a: { const: true } } }, true],
    ["True", of("boolean"), "True"],
    ["false", of("object", "boolean"), false],
    ["false", { properties: { a: {} } }, "false"],
    ["false", undefined, "false"],
    ["7", { additionalProperties: { type: ["integer", "null"] } }, 7],
  ])("makes of %j by %j the value %j", (value, schema, typed) => {
    expect(place(value, schema)).toEqual({ a: typed });
  });
});
