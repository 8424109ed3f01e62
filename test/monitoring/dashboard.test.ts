import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dashboardText, filledIn, panels } from "./dashboard.ts";
import { type GateUnderLoad, startGateUnderLoad } from "./gate-under-load.ts";
import { documentedMetrics, metricsIn } from "./metric-names.ts";
import { type Prometheus, startPrometheus } from "./prometheus.ts";

let gate: GateUnderLoad;
let prometheus: Prometheus;
beforeAll(async () => {
  gate = await startGateUnderLoad();
  prometheus = await startPrometheus(gate.admin);
  await gate.load(20_000);
});
afterAll(async () => {
  await prometheus?.close();
  await gate?.close();
});

/** Panels of what must not happen: they have data only where it does. */
const emptyWhereAllIsWell = new Set(["Turned away from a queue"]);

const queries = panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })));

describe("a query of the dashboard", () => {
  it.each(queries)("in $title is understood by Prometheus: $expr", async ({ expr }) => {
    await expect(prometheus.range(filledIn(expr))).resolves.toBeDefined();
  });

  it.each(queries.filter(({ title }) => !emptyWhereAllIsWell.has(title)))(
    "in $title has data of a gate under load: $expr",
    async ({ expr }) => {
      const values = async (): Promise<number> => {
        const series = await prometheus.range(filledIn(expr));
        return series.flatMap((each) => each.values).filter(([, value]) => value !== "NaN").length;
      };
      await expect.poll(values).toBeGreaterThan(0);
    },
  );
});

describe("the dashboard", () => {
  it("names only metrics that are documented", () => {
    const known = documentedMetrics();
    expect(metricsIn(dashboardText)).not.toHaveLength(0);
    expect(metricsIn(dashboardText).filter((name) => !known.has(name))).toEqual([]);
  });

  it("has a title and a query in each panel, and no panel over another", () => {
    const places = new Set<string>();
    for (const { title, type, targets, gridPos } of panels) {
      expect(title).not.toBe("");
      if (type !== "row") expect(targets, title).not.toHaveLength(0);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(places.has(`${x},${y}`), title).toBe(false);
          places.add(`${x},${y}`);
        }
      }
    }
  });
});
