import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { runCommand } from "../support/run.ts";
import { chart } from "./chart.ts";
import { type Manifest, manifest } from "./manifest.ts";

/** What `helm template` made of the chart. */
export interface Rendering {
  /** As Helm printed it. */
  readonly text: string;
  readonly manifests: readonly Manifest[];
}

/** Renders the chart as the release `gate` in the namespace `registry`. @throws {Error} with Helm's own message. */
export async function renderChart(values: object): Promise<Rendering> {
  const { code, stdout, stderr } = await helm(["template", "gate", chart, "--namespace", "registry"], values);
  if (code !== 0) throw new Error(stderr);
  const manifests = parseAllDocuments(stdout).flatMap((document) => {
    if (document.errors[0] !== undefined) throw document.errors[0];
    const value: unknown = document.toJS();
    return value === null ? [] : [manifest(value)];
  });
  return { text: stdout, manifests };
}

/** Runs Helm with a file of values. */
export async function helm(
  parameters: readonly string[],
  values: object = {},
): Promise<Awaited<ReturnType<typeof runCommand>>> {
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-helm-"));
  try {
    const file = join(directory, "values.yaml");
    // JSON is YAML too.
    await writeFile(file, JSON.stringify(values));
    return await runCommand("helm", [...parameters, "--values", file], {
      environment: { HELM_CACHE_HOME: directory, HELM_CONFIG_HOME: directory, HELM_DATA_HOME: directory },
    });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
