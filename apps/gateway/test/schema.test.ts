import { globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { jsonSchema } from "../src/commands/schema.ts";
import { builtInPlugins } from "../src/plugins.ts";

const whole = jsonSchema(await builtInPlugins());

test("the schema speaks of the configuration as it is written, not as it is read", () => {
  expect(whole).toMatchObject({
    $schema: "https://json-schema.org/draft/2020-12/schema",
    type: "object",
    required: ["listen", "upstream", "auth"],
    additionalProperties: false,
    patternProperties: { "^x-": {} },
    properties: {
      listen: { properties: { address: { anyOf: [{ type: "string" }, { type: ["integer", "string"] }] } } },
      upstream: { properties: { readTimeout: { type: "string" } } },
    },
  });
});

test("the schema holds the options of each built-in backend beside its type, and leaves others to their packages", () => {
  const types = ["htpasswd", "ldap", "sso-header", "sso-jwt", "passport", "portal-users", "access-token"];
  expect(whole).toMatchObject({
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

test("the schema accepts durations of backends only as text, because a bare number has no unit", () => {
  const ldap = JSON.stringify(whole);
  expect(ldap).toContain('"timeout":{"description":"For one operation; 5s by default","type":"string","pattern":"');
  expect(ldap).toContain('"jwksTimeout":{"description":"How long a fetch may take","type":"string","pattern":"');
});

describe("an editor that knows the schema", () => {
  const schema = z.fromJSONSchema(whole);
  const complaints = (text: string): string[] =>
    (schema.safeParse(parse(text, { merge: true })).error?.issues ?? []).map(({ path }) => path.join("."));
  const configuration = (key: string): string =>
    `{ listen: { address: 1 }, upstream: { url: "http://a" }, auth: { backends: [{ type: htpasswd, file: a }] }, ${key} }`;

  test.each([
    'limits: { inFlight: "${N}" }',
    'log: { attemptedNames: "${FLAG}", level: "${LEVEL}" }',
    'x-a: &a { type: htpasswd, file: "${F}", allowPlaintext: "${FLAG}", hashConcurrency: "${N}" }',
  ])("takes what the environment becomes: %s", (key) => {
    expect(complaints(configuration(key))).toEqual([]);
  });

  test.each([
    ['limits: { inFlight: "5" }', "limits.inFlight"],
    ['limits: { minRate: "many" }', "limits.minRate"],
    ["log: { attemptedNames: yes }", "log.attemptedNames"],
    ["log: { level: loud }", "log.level"],
    ["lgo: {}", ""],
    ['access: [{ subjects: ["${X}"], repositories: [a], actions: ["${X}"] }]', "access.0.actions.0"],
  ])("complains of what is wrong: %s", (key, path) => {
    expect(complaints(configuration(key))).toContain(path);
  });

  const root = resolve(import.meta.dirname, "../../..");
  test.each(globSync(["README.md", "{apps,packages}/*/README.md"], { cwd: root }).sort())(
    "takes every whole configuration in %s",
    async (path) => {
      const text = await readFile(join(root, path), "utf8");
      const examples = [...text.matchAll(/```yaml\n(.*?)```/gs)].map(([, example = ""]) => example);
      for (const example of examples.filter((each) => /^listen:/m.test(each))) expect(complaints(example)).toEqual([]);
    },
  );
});
