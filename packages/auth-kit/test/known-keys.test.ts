import { expect, test } from "vitest";
import { suggestKey } from "../src/options/known-keys.ts";

const schema = {
  properties: {
    file: {},
    groups: { properties: { searchBase: {} } },
    servers: { items: { anyOf: [{ type: "string" }, { properties: { address: {} } }] } },
  },
};

test.each([
  [["fil"], "; did you mean file?"],
  [["groups", "searchbase"], "; did you mean searchBase?"],
  [["servers", 3, "adress"], "; did you mean address?"],
  [["file"], ""],
  [["nothing-like-it"], ""],
  [["fil", "fil"], ""],
  [["servers", 3], ""],
  [[], ""],
])("of %j it is said %j", (path, said) => {
  expect(suggestKey(schema, path)).toBe(said);
});

test.each([undefined, null, true, "text", []])("a schema that is %j knows no key", (nothing) => {
  expect(suggestKey(nothing, ["file"])).toBe("");
});
