import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const workspace = resolve(import.meta.dirname, "../..");
export const deploy: string = join(workspace, "apps/gateway/deploy");
export const docs: string = join(workspace, "docs");

/** The metrics that `docs/metrics.md` describes. A histogram has three series. */
export function documentedMetrics(): ReadonlySet<string> {
  const rows = readFileSync(join(docs, "metrics.md"), "utf8").matchAll(/^\| `(registry_gate_\w+)` *\| (\w+)/gm);
  return new Set(
    [...rows].flatMap(([, name = "", type]) =>
      type === "histogram" ? ["_bucket", "_count", "_sum"].map((suffix) => name + suffix) : [name],
    ),
  );
}

/** The gate's metrics that a text of queries names. */
export function metricsIn(text: string): readonly string[] {
  return [...new Set(text.match(/\bregistry_gate_\w+/g))];
}
