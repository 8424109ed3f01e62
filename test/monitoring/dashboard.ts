import { readFileSync } from "node:fs";
import { join } from "node:path";
import { deploy } from "./metric-names.ts";

export interface Panel {
  readonly title: string;
  readonly type: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
  readonly fieldConfig?: { readonly defaults: { readonly unit: string } };
}

export const dashboardText: string = readFileSync(join(deploy, "grafana/registry-gate.json"), "utf8");

const dashboard: { readonly panels: readonly Panel[] } = JSON.parse(dashboardText);

export const panels: readonly Panel[] = dashboard.panels;

/** A query with the dashboard's variables as they are for one job, whose gates are scraped every second. */
export function filledIn(expr: string): string {
  return expr
    .replaceAll("$job", "registry-gate")
    .replaceAll("$instance", ".*")
    .replaceAll("$__rate_interval", "10s")
    .replaceAll("$__interval", "5s");
}
