import { expect, test } from "vitest";
import { jsonSchema } from "../src/commands/schema.ts";

test("the schema speaks of the configuration as it is written, not as it is read", () => {
  expect(jsonSchema()).toMatchObject({
    $schema: "https://json-schema.org/draft/2020-12/schema",
    type: "object",
    required: ["listen", "upstream", "auth"],
    additionalProperties: false,
    properties: {
      listen: { properties: { address: { type: "string" } } },
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
