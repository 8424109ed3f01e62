import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { codeOf } from "../docs/markdown.ts";
import { renderChart } from "./render.ts";

const guide = readFileSync(join(resolve(import.meta.dirname, "../.."), "docs/deploy-kubernetes.md"), "utf8");
const values = codeOf(guide).blocks.filter(({ language }) => language === "yaml");

describe("values in docs/deploy-kubernetes.md", () => {
  it("are there", () => {
    expect(values.length).toBeGreaterThan(3);
  });

  it.each(values)("in line $line are ones that the chart takes", async ({ code }) => {
    const { manifests } = await renderChart(parse(code, { strict: true, uniqueKeys: true }));
    expect(manifests.map(({ kind }) => kind)).toContain("Deployment");
  });
});
