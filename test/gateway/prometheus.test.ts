import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { basic } from "../support/basic.ts";
import { startEventReceiver } from "../support/event-receiver.ts";
import { freePort } from "../support/free-port.ts";
import type { RunningGate } from "../support/gate.ts";
import { type Gates, gatesBefore } from "../support/gates-before.ts";
import { listen } from "../support/listen.ts";
import { passwordFile } from "../support/password-file.ts";
import { tryPolledServer } from "../support/polled-server.ts";
import { runCommand } from "../support/run.ts";
import { type ScriptedUpstream, startUpstream } from "../support/upstream.ts";

let upstream: ScriptedUpstream;
let gates: Gates;
beforeAll(async () => {
  upstream = await startUpstream((request, response) => {
    request.resume();
    response.setHeader("docker-distribution-api-version", "registry/2.0");
    if (request.url?.includes("/held/") === true) return;
    if (request.url?.includes("/canary-missing/") === true) response.writeHead(404);
    response.end("{}");
  });
  gates = gatesBefore(upstream.url, await passwordFile({ "canary-alice": "canary-password" }), {
    admin: { address: "127.0.0.1:0", drainDelay: "0s" },
  });
});
afterAll(() => upstream.close());

const alice = basic("canary-alice", "canary-password");

async function adminOf(gate: RunningGate): Promise<string> {
  const { address } = await gate.logged(({ event }) => event === "admin listening");
  return String(address);
}

async function metricsOf(gate: RunningGate): Promise<string> {
  const response = await fetch(`http://${await adminOf(gate)}/metrics`);
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  return response.text();
}

/** Waits until the metrics have these lines. */
async function expectLines(gate: RunningGate, lines: readonly string[]): Promise<void> {
  const found = async (): Promise<readonly string[]> => {
    const shown = (await metricsOf(gate)).split("\n");
    return lines.filter((line) => shown.includes(line));
  };
  await expect.poll(found).toEqual(lines);
}

const pull = (gate: RunningGate, repository: string, headers: Record<string, string> = alice): Promise<Response> =>
  fetch(`${gate.url}/v2/${repository}/manifests/latest`, { headers });

test("counts requests by operation, decision and status, and names no user, repository or address", async () => {
  const gate = await gates.start();
  await pull(gate, "canary-app");
  await pull(gate, "canary-app");
  await pull(gate, "canary-missing");
  await pull(gate, "canary-app", basic("canary-alice", "canary-wrong"));
  await pull(gate, "Canary-No-Name");
  await fetch(`${gate.url}/canary-elsewhere`);
  const blob = "x".repeat(1000);
  const upload = `${gate.url}/v2/canary-app/blobs/uploads/?digest=sha256:${"0".repeat(64)}`;
  const type = { "content-type": "application/octet-stream" };
  await fetch(upload, { method: "POST", headers: { ...alice, ...type }, body: blob });
  await expectLines(gate, [
    'registry_gate_requests_total{operation="get-manifest",decision="allowed",status="200"} 2',
    'registry_gate_requests_total{operation="get-manifest",decision="allowed",status="404"} 1',
    'registry_gate_requests_total{operation="get-manifest",decision="unauthenticated",status="401"} 1',
    'registry_gate_requests_total{operation="unknown",decision="refused",status="400"} 1',
    'registry_gate_requests_total{operation="unknown",decision="refused",status="404"} 1',
    'registry_gate_received_bytes_total{operation="start-upload"} 1000',
    'registry_gate_request_duration_seconds_count{operation="get-manifest"} 4',
    'registry_gate_request_gate_duration_seconds_count{operation="get-manifest"} 4',
    'registry_gate_request_upstream_duration_seconds_count{operation="get-manifest"} 3',
    'registry_gate_logins_total{backend="htpasswd",outcome="authenticated"} 1',
    'registry_gate_logins_total{backend="htpasswd",outcome="rejected"} 1',
    'registry_gate_login_cache_requests_total{result="miss"} 2',
    'registry_gate_login_cache_requests_total{result="hit"} 3',
    "registry_gate_login_cache_entries 1",
    'registry_gate_reloads_total{subject="configuration",outcome="reloaded"} 0',
    "registry_gate_requests_in_flight 0",
  ]);
  const text = await metricsOf(gate);
  expect(text.toLowerCase()).not.toMatch(/canary|127\.0\.0\.1|localhost/);
  for (const line of text.split("\n")) expect(line).toMatch(/^(?:$|# |registry_gate_)/);
});

test("goes on counting over reloads, and tells of those that are rejected", async () => {
  const gate = await gates.start();
  await pull(gate, "app");
  await gate.configure(gates.configuration({ access: [] }));
  await gate.logged(({ event }) => event === "reloaded");
  await pull(gate, "app");
  await gate.configure(gates.configuration({ acess: [] }));
  await gate.logged(({ event }) => event === "reload refused");
  await expectLines(gate, [
    'registry_gate_requests_total{operation="get-manifest",decision="allowed",status="200"} 1',
    'registry_gate_requests_total{operation="get-manifest",decision="denied",status="403"} 1',
    'registry_gate_reloads_total{subject="configuration",outcome="reloaded"} 1',
    'registry_gate_reloads_total{subject="configuration",outcome="refused"} 1',
    "registry_gate_config_last_reload_successful 0",
  ]);
});

test("passes promtool's check, also after failures of every kind", async () => {
  const auth = {
    backends: [{ type: "htpasswd", file: "htpasswd" }],
    throttle: { perUserAndAddress: "2/1m" },
    challenge: "bearer",
  };
  const environment = { OTEL_SERVICE_NAME: "gate-one", OTEL_RESOURCE_ATTRIBUTES: "deployment.environment=test" };
  const gate = await gates.start({ limits: { inFlightPerClient: 1 }, auth }, { environment });
  for (let count = 0; count < 5; count++) await pull(gate, "app", basic("bob", "wrong"));
  const leaving = new AbortController();
  const held = fetch(`${gate.url}/v2/held/manifests/1`, { headers: alice, signal: leaving.signal }).catch(() => {});
  await expectLines(gate, ["registry_gate_requests_in_flight 1"]);
  await expect.poll(async () => (await pull(gate, "app")).status).toBe(429);
  leaving.abort();
  await held;
  const service = new URL(gate.url).host;
  await fetch(`${gate.url}/v2/auth?service=${service}&scope=repository:app:pull`, { headers: alice });
  await fetch(`http://${await adminOf(gate)}/readyz`);
  await expectLines(gate, ["registry_gate_ready 1", 'registry_gate_part_ok{part="registry"} 1']);
  const text = await metricsOf(gate);
  expect(text).toMatch(/^target_info\{.*service_name="gate-one".*deployment_environment="test".*\} 1$/m);
  expect(text).toMatch(/^registry_gate_limits_reached_total\{limit="inFlightPerClient"\} [1-9]/m);
  expect(text).toMatch(/^registry_gate_tokens_total\{outcome="issued"\} 1$/m);
  expect(text).toMatch(/^registry_gate_tokens_issued_total\{kind="access"\} 1$/m);
  expect(text).toMatch(/^registry_gate_tokens_issued_total\{kind="refresh"\} 0$/m);
  expect(await runCommand("promtool", ["check", "metrics"], { input: text })).toEqual({
    code: 0,
    stdout: "",
    stderr: "",
  });
});

test("counts what the audit, notifications and maintenance do", async () => {
  const receiver = await startEventReceiver();
  onTestFinished(() => receiver.close());
  const push = (gate: RunningGate): Promise<Response> =>
    fetch(`${gate.url}/v2/app/manifests/1`, { method: "PUT", headers: alice, body: "{}" });
  const services = {
    audit: { output: { file: "audit.jsonl" }, events: ["push", "denied"] },
    events: [{ url: receiver.url, secretFile: "secret" }],
  };
  const gate = await gates.start(services, { files: { secret: "a secret of the receiver\n" } });
  receiver.respond((response) => response.writeHead(receiver.received.length === 1 ? 503 : 204).end());
  await push(gate);
  await expectLines(gate, [
    'registry_gate_audit_events_total{outcome="written"} 1',
    'registry_gate_audit_events_total{outcome="lost"} 0',
    "registry_gate_audit_failures_total 0",
    "registry_gate_audit_failing 0",
    'registry_gate_notifications_total{outcome="queued"} 1',
    'registry_gate_notifications_total{outcome="failed"} 1',
    'registry_gate_notifications_total{outcome="delivered"} 1',
    'registry_gate_notifications_total{outcome="given-up"} 0',
    "registry_gate_notifications_waiting 0",
    "registry_gate_read_only 0",
    "registry_gate_writes_in_flight 0",
    "registry_gate_log_lines_dropped_total 0",
  ]);
  // An audit that cannot be written, an endpoint that refuses, and a registry that changes no more.
  receiver.respond((response) => response.writeHead(500).end());
  await push(gate);
  await expectLines(gate, ["registry_gate_notifications_waiting 1"]);
  const held = new AbortController();
  const written = fetch(`${gate.url}/v2/held/blobs/uploads/`, {
    ...{ method: "POST", headers: alice, signal: held.signal },
  }).catch(() => {});
  await expectLines(gate, ["registry_gate_writes_in_flight 1"]);
  const nobody = await freePort();
  const broken = {
    audit: { output: { syslog: { address: `127.0.0.1:${nobody}` } }, events: ["push"], onFailure: "block" },
  };
  await gate.configure(gates.configuration({ ...services, ...broken, maintenance: { readOnly: true } }));
  await gate.logged(({ event }) => event === "read-only");
  await push(gate);
  await expectLines(gate, ["registry_gate_read_only 1", "registry_gate_audit_failing 1"]);
  await expect
    .poll(async () => (await fetch(`http://${await adminOf(gate)}/readyz`)).text())
    .toBe("ready; writes are refused: audit (ECONNREFUSED), maintenance (read-only)\n");
  expect(await metricsOf(gate)).toMatch(/^registry_gate_audit_failures_total [1-9]/m);
  held.abort();
  await written;
  await gate.configure(gates.configuration());
  await expectLines(gate, [
    "registry_gate_read_only 0",
    "registry_gate_writes_in_flight 0",
    "registry_gate_audit_failing 0",
    "registry_gate_notifications_waiting 0",
  ]);
});

/** A Prometheus that scrapes every second. */
async function startPrometheus(target: string): Promise<(query: string) => Promise<number | undefined>> {
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-prometheus-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const config = {
    global: { scrape_interval: "1s", scrape_timeout: "1s" },
    scrape_configs: [{ job_name: "gate", static_configs: [{ targets: [target] }] }],
  };
  await writeFile(join(directory, "prometheus.yml"), JSON.stringify(config));
  const port = await freePort();
  const server = await tryPolledServer({
    ...{ command: "prometheus", directory, host: "127.0.0.1", port },
    parameters: ["--config.file=prometheus.yml", "--storage.tsdb.path=data", `--web.listen-address=127.0.0.1:${port}`],
  });
  if (typeof server === "string") throw new Error(server);
  onTestFinished(() => server.close());
  return async (query) => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}`);
    const { data }: { data: { result: readonly { value: readonly [number, string] }[] } } = JSON.parse(
      await response.text(),
    );
    const [first] = data.result;
    return first === undefined ? undefined : Number(first.value[1]);
  };
}

test("a real Prometheus scrapes a gate under load, and has counted what its clients have", async () => {
  const gate = await gates.start();
  const query = await startPrometheus(await adminOf(gate));
  await expect.poll(() => query("up")).toBe(1);
  let done = 0;
  const client = async (): Promise<void> => {
    for (let count = 0; count < 50; count++) {
      const response = await pull(gate, count % 5 === 0 ? "canary-missing" : "app");
      await response.arrayBuffer();
      done++;
    }
  };
  const load = Promise.all([client(), client(), client(), client()]);
  await expect.poll(() => done).toBeGreaterThan(20);
  await gate.configure(gates.configuration({ limits: { inFlight: 9000 } }));
  await load;
  await expect.poll(() => query("sum(registry_gate_requests_total)")).toBe(done);
  expect(await query('sum(registry_gate_requests_total{status="404"})')).toBe(40);
  expect(await query("sum(registry_gate_request_duration_seconds_count)")).toBe(done);
  expect(await query('sum(registry_gate_request_duration_seconds_bucket{le="+Inf"})')).toBe(done);
  await expect.poll(() => query("registry_gate_config_last_reload_successful")).toBe(1);
  const slowest = await query("histogram_quantile(0.99, sum by (le) (registry_gate_request_duration_seconds_bucket))");
  expect(slowest).toBeGreaterThan(0);
  expect(await query("max_over_time(scrape_samples_scraped[1m])")).toBeGreaterThan(100);
});

test("many that scrape at once cost no more than a few, and requests go on", async () => {
  const gate = await gates.start();
  const texts = await Promise.all(Array.from({ length: 100 }, () => metricsOf(gate)));
  expect(new Set(texts).size).toBeLessThan(50);
  expect((await pull(gate, "app")).status).toBe(200);
});

/** A collector, and the metrics that it has been sent: the value of each by its name. */
async function startCollector() {
  const requests: { readonly path: string; readonly body: string; readonly header: unknown }[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += String(chunk);
    });
    request.on("end", () => {
      requests.push({ path: request.url ?? "", body, header: request.headers["x-key"] });
      response.setHeader("content-type", "application/json");
      response.end("{}");
    });
  });
  const port = await listen(server);
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${port}`, requests };
}

test("pushes by OTLP where the environment asks, without an admin listener too, and a last time at the end", async () => {
  const collector = await startCollector();
  const gate = await gates.start(
    { admin: undefined },
    {
      environment: {
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        OTEL_EXPORTER_OTLP_HEADERS: "x-key=secret",
        OTEL_METRIC_EXPORT_INTERVAL: "300",
        OTEL_SERVICE_NAME: "gate-one",
        OTEL_RESOURCE_ATTRIBUTES: "deployment.environment=test",
      },
    },
  );
  await pull(gate, "app");
  await expect.poll(() => collector.requests.length).toBeGreaterThan(2);
  const last = collector.requests.at(-1);
  expect([last?.path, last?.header]).toEqual(["/v1/metrics", "secret"]);
  expect(last?.body).toContain('"stringValue":"gate-one"');
  expect(last?.body).toContain('"stringValue":"test"');
  expect(last?.body).toMatch(/"name":"registry_gate_requests","description":"[^"]+","unit":""/);
  expect(last?.body).toMatch(/"name":"registry_gate_request_duration_seconds","description":"[^"]+","unit":"s"/);
  gate.kill("SIGTERM");
  await gate.ended;
  expect(collector.requests.at(-1)?.body).toContain('"stringValue":"get-manifest"');
  expect(gate.output()).not.toContain("secret");
});

test("a collector that is not there delays nothing, neither requests nor the end", async () => {
  const gate = await gates.start(
    {},
    {
      environment: {
        OTEL_METRICS_EXPORTER: "otlp",
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}`,
        OTEL_METRIC_EXPORT_INTERVAL: "100",
      },
    },
  );
  expect((await pull(gate, "app")).status).toBe(200);
  gate.kill("SIGTERM");
  expect(await gate.ended).toBe(0);
});
