import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { referencesOf } from "../docs/references.ts";
import { runCommand } from "../support/run.ts";
import { deploy, docs, documentedMetrics, metricsIn } from "./metric-names.ts";

const directory = join(deploy, "prometheus");
const text = readFileSync(join(directory, "alerts.yaml"), "utf8");
const { groups }: { groups: readonly { rules: readonly Rule[] }[] } = parse(text);
const rules = groups.flatMap((group) => group.rules);

interface Rule {
  readonly alert: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

describe("the alert rules", () => {
  it("are good rules for promtool", async () => {
    const checked = await runCommand("promtool", ["check", "rules", "--lint-fatal", "alerts.yaml"], { directory });
    expect(checked).toMatchObject({ code: 0, stdout: expect.stringContaining(`${rules.length} rules found`) });
  });

  it("fire where they should, and nowhere else", async () => {
    const tested = await runCommand("promtool", ["test", "rules", "alerts.test.yaml"], { directory });
    expect(tested).toMatchObject({ code: 0, stdout: expect.stringContaining("SUCCESS") });
  });

  it("are all seen firing by their tests", () => {
    const tests = readFileSync(join(directory, "alerts.test.yaml"), "utf8");
    expect(rules.map(({ alert }) => alert).filter((alert) => !tests.includes(`alertname="${alert}"`))).toEqual([]);
  });

  it("name only metrics that are documented", () => {
    const known = documentedMetrics();
    expect(metricsIn(text)).not.toHaveLength(0);
    expect(metricsIn(text).filter((name) => !known.has(name))).toEqual([]);
  });

  it.each(rules)("$alert says how severe it is and leads to a section of the runbooks", ({ labels, annotations }) => {
    expect(labels.severity).toMatch(/^(?:warning|critical)$/);
    const [page, anchor] = String(annotations.runbook_url).split("/blob/main/docs/")[1]?.split("#") ?? [];
    expect(page).toBe("runbooks.md");
    expect(referencesOf(readFileSync(join(docs, String(page)), "utf8")).anchors).toContain(anchor);
    expect(Object.keys(annotations).sort()).toEqual(["description", "runbook_url", "summary"]);
  });
});
