import { jsonSchema } from "../../apps/gateway/src/commands/schema.ts";
import { builtInPlugins } from "../../apps/gateway/src/plugins.ts";

const whole = jsonSchema(await builtInPlugins());

/** A part of a JSON Schema, draft 2020-12. */
export type Schema = Readonly<Record<string, unknown>>;

/**
 * The schema of `config` in the chart's values: the gate's own, without the demands that the chart meets itself. Whatever the
 * gate learns is known to the chart as soon as the schema is written anew.
 */
export function configSchema(): Schema {
  const { title: _title, $schema: _schema, required: _required, ...root } = whole;
  const sections = objectAt(root, "properties");
  return {
    ...root,
    description: "The gate's own configuration",
    properties: {
      ...sections,
      ...mapped(sections, "admin", withoutDemands),
      ...mapped(sections, "upstream", withoutDemands),
      ...mapped(sections, "listen", (listen) => {
        const properties = objectAt(listen, "properties");
        return {
          ...withoutDemands(listen),
          properties: { ...properties, ...mapped(properties, "tls", withoutDemands) },
        };
      }),
      ...mapped(sections, "auth", (auth) => {
        const properties = objectAt(auth, "properties");
        return {
          ...auth,
          properties: {
            ...properties,
            ...mapped(properties, "backends", (backends) => ({
              ...backends,
              items: byType(objectAt(backends, "items")),
            })),
          },
        };
      }),
    },
  };
}

function withoutDemands({ required: _, ...schema }: Schema): Schema {
  return schema;
}

/**
 * Of alternatives with a constant type each, the one that a backend names is held against it. Otherwise a fault would be
 * reported once for each alternative.
 */
function byType({ anyOf, ...common }: Schema): Schema {
  const alternatives = Array.isArray(anyOf) ? anyOf.map(asSchema) : [];
  return {
    ...common,
    allOf: alternatives.flatMap((alternative) => {
      const type = objectAt(alternative, "properties").type;
      if (asSchema(type).const === undefined) return [];
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      return [{ if: { properties: { type }, required: ["type"] }, then: alternative }];
    }),
  };
}

function mapped(parent: Schema, key: string, map: (schema: Schema) => Schema): Schema {
  return key in parent ? { [key]: map(objectAt(parent, key)) } : {};
}

function objectAt(parent: Schema, key: string): Schema {
  return asSchema(parent[key]);
}

function asSchema(value: unknown): Schema {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new TypeError("not a schema");
  return Object.fromEntries(Object.entries(value));
}
