import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { chart } from "./chart.ts";
import { valuesSchema } from "./values-schema.ts";

describe("values.schema.json", () => {
  it("is made of the gate's own schema: write it anew with vitest run test/helm/values-schema -u", async () => {
    await expect(`${JSON.stringify(valuesSchema(), undefined, 2)}\n`).toMatchFileSnapshot(
      join(chart, "values.schema.json"),
    );
  });

  it("knows every key of values.yaml", () => {
    const values: unknown = parse(readFileSync(join(chart, "values.yaml"), "utf8"));
    expect(unknownKeys(values, valuesSchema())).toEqual([]);
  });

  it("describes no key that values.yaml does not show", () => {
    const values: unknown = parse(readFileSync(join(chart, "values.yaml"), "utf8"));
    expect(keysOf(valuesSchema()).filter((key) => key !== "global")).toEqual(keysOf({ properties: Object(values) }));
  });
});

describe("Chart.yaml", () => {
  it("names the version of the gateway that it starts", () => {
    const { appVersion }: { appVersion?: unknown } = parse(readFileSync(join(chart, "Chart.yaml"), "utf8"));
    const manifest = join(chart, "../../../package.json");
    const { version }: { version?: unknown } = JSON.parse(readFileSync(manifest, "utf8"));
    expect(appVersion).toBe(version);
  });
});

describe("the chart's files", () => {
  it.each([
    ["alerts.yaml", "prometheus"],
    ["registry-gate.json", "grafana"],
  ])("%s is that of deploy/%s: copy it with vitest run test/helm/values-schema -u", async (name, folder) => {
    const original = readFileSync(join(chart, "../..", folder, name), "utf8");
    await expect(original).toMatchFileSnapshot(join(chart, "files", name));
  });
});

describe("the chart's README", () => {
  it("has every value", () => {
    const [, readme = ""] = readFileSync(join(chart, "README.md"), "utf8").split("\n## The values\n");
    const rows = [...readme.matchAll(/^\| `([\w.]+)`/gm)].map(([, name = ""]) => name);
    const values: unknown = parse(readFileSync(join(chart, "values.yaml"), "utf8"));
    const described = (path: string): boolean => rows.some((row) => row === path || row.startsWith(`${path}.`));
    expect(Object.keys(Object(values)).filter((key) => !described(key))).toEqual([]);
    expect(rows.filter((row) => !isIn(values, row.split(".")))).toEqual([]);
  });
});

function isIn(value: unknown, [key, ...rest]: readonly string[]): boolean {
  if (key === undefined) return true;
  return typeof value === "object" && value !== null && key in value && isIn(Object(value)[key], rest);
}

function keysOf(schema: object): readonly string[] {
  return "properties" in schema ? Object.keys(Object(schema.properties)).sort() : [];
}

/** Paths in a value that a strict object of the schema does not name. */
function unknownKeys(value: unknown, schema: object, path = ""): readonly string[] {
  if (typeof value !== "object" || value === null || !("properties" in schema)) return [];
  const properties: Record<string, object> = Object(schema.properties);
  return Object.entries(value).flatMap(([key, part]) => {
    const known = properties[key];
    return known === undefined ? [`${path}${key}`] : unknownKeys(part, known, `${path}${key}.`);
  });
}
