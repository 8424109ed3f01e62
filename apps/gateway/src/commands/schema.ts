import type { AuthBackendPlugin } from "@registry-gate/auth";
import { z } from "zod";
import { auditJsonSchema } from "../audit/audit-schema.ts";
import { configurationSchema } from "../config/configuration.ts";
import { allowPlaceholders } from "../config/schema-placeholders.ts";
import { builtInPlugins } from "../plugins.ts";
import { type Command, parseCommandLine, UsageError } from "./command.ts";

export const schema: Command = {
  name: "schema",
  synopsis: "[--audit]",
  summary: "print the configuration's JSON Schema, for editors",
  details: [
    "Editors with the YAML language server use the schema if the first line of a configuration names it:",
    "",
    "  # yaml-language-server: $schema=registry-gate.schema.json",
    "",
    "  --audit  print the JSON Schema of one line of the audit instead",
    "",
    "Exit code: 0.",
  ],
  async run(parameters) {
    const { values, positionals } = parseCommandLine({
      args: [...parameters],
      allowPositionals: true,
      options: { audit: { type: "boolean" } },
    });
    if (positionals[0] !== undefined) throw new UsageError(`unexpected ${positionals[0]}`);
    const printed = values.audit === true ? auditJsonSchema() : jsonSchema(await builtInPlugins());
    process.stdout.write(`${JSON.stringify(printed, undefined, 2)}\n`);
    return 0;
  },
};

type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * JSON Schema, draft 2020-12, of a configuration as it is written.
 *
 * @param plugins Whose options it holds; of other backends it knows nothing.
 */
export function jsonSchema(plugins: readonly AuthBackendPlugin[]): JsonSchema {
  const whole = z.toJSONSchema(configurationSchema, {
    io: "input",
    override({ path, jsonSchema: part }) {
      if (part.additionalProperties === false) part.patternProperties = extensions;
      // The items of auth.backends: each built-in type brings its own options.
      if (path.join(".") === "properties.auth.properties.backends.items") part.anyOf = backendSchemas(plugins, part);
    },
  });
  return { title: "registry-gate", ...asObject(allowPlaceholders(whole, (key) => key === "access" || key === "type")) };
}

/** Keys for whatever is used again elsewhere, as in compose files. */
const extensions = { "^x-": {} };

function backendSchemas(
  plugins: readonly AuthBackendPlugin[],
  common: { properties?: object },
): Record<string, unknown>[] {
  const known = plugins.map(({ type, optionsSchema = {} }): Record<string, unknown> => {
    const { $schema: _, properties, ...rest } = optionsSchema;
    return {
      ...rest,
      patternProperties: extensions,
      properties: { ...common.properties, ...asObject(properties), type: { const: type } },
    };
  });
  const others = { properties: { type: { not: { enum: plugins.map(({ type }) => type) } } } };
  return [...known, others];
}

function asObject(value: unknown): object {
  return typeof value === "object" && value !== null ? value : {};
}
