import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../support/free-port.ts";
import { tryPolledServer } from "../support/polled-server.ts";

/** One series of a query's result: values over time. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [seconds: number, value: string])[];
}

/** A real Prometheus that scrapes a gate every second. */
export interface Prometheus {
  /** The series of a query since Prometheus started. @throws {Error} with what Prometheus says of a faulty query. */
  range(query: string): Promise<readonly Series[]>;
  close(): Promise<void>;
}

export async function startPrometheus(target: string): Promise<Prometheus> {
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-prometheus-"));
  const configuration = {
    global: { scrape_interval: "1s", scrape_timeout: "1s" },
    scrape_configs: [{ job_name: "registry-gate", static_configs: [{ targets: [target] }] }],
  };
  // JSON is YAML too.
  await writeFile(join(directory, "prometheus.yml"), JSON.stringify(configuration));
  const port = await freePort();
  const server = await tryPolledServer({
    command: "prometheus",
    directory,
    host: "127.0.0.1",
    port,
    parameters: ["--config.file=prometheus.yml", "--storage.tsdb.path=data", `--web.listen-address=127.0.0.1:${port}`],
  });
  if (typeof server === "string") throw new Error(server);
  const start = Date.now() / 1000;
  return {
    async range(query) {
      const parameters = { query, start: String(start), end: String(Date.now() / 1000), step: "1" };
      const response = await fetch(`http://127.0.0.1:${port}/api/v1/query_range?${new URLSearchParams(parameters)}`);
      const body: { status: string; error?: string; data?: { result: readonly Series[] } } = JSON.parse(
        await response.text(),
      );
      if (body.data === undefined) throw new Error(`${query}: ${body.error}`);
      return body.data.result;
    },
    async close() {
      await server.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
