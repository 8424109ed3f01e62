import { expect, test } from "vitest";
import { jsonSchema } from "../src/commands/schema.ts";

test("the schema speaks of the configuration as it is written, not as it is read", () => {
  expect(jsonSchema()).toMatchObject({
    $schema: "https://json-schema.org/draft/2020-12/schema",
    type: "object",
    required: ["listen", "upstream", "auth"],
    additionalProperties: false,
    patternProperties: { "^x-": {} },
    properties: {
      listen: { properties: { address: { anyOf: [{ type: "string" }, { type: "integer" }] } } },
      upstream: { properties: { readTimeout: { type: "string" } } },
    },
  });
});

test("the schema holds the options of each built-in backend beside its type, and leaves others to their packages", () => {
  const types = ["htpasswd", "ldap", "sso-header", "sso-jwt", "passport"];
  expect(jsonSchema()).toMatchObject({
    properties: {
      auth: {
        properties: {
          backends: {
            items: {
              anyOf: [
                ...types.map((type) => ({ properties: { type: { const: type } }, additionalProperties: false })),
                { properties: { type: { not: { enum: types } } } },
              ],
            },
          },
        },
      },
    },
  });
});

test("the schema has durations of backends as text alone, because a bare number is none in a file", () => {
  const ldap = JSON.stringify(jsonSchema());
  expect(ldap).toContain('"timeout":{"description":"For one operation; 5s by default","type":"string","pattern":"');
  expect(ldap).toContain('"jwksTimeout":{"description":"How long a fetch may take","type":"string","pattern":"');
});
