import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { basic } from "../support/basic.ts";
import { closingStack } from "../support/closing-stack.ts";
import { type DockerRegistry, startDockerRegistry } from "../support/docker-registry.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { passwordFile } from "../support/password-file.ts";
import { type RecordingRelay, startRecordingRelay } from "../support/recording-relay.ts";
import { pushImage } from "../support/registry-content.ts";
import { type ReceivedSpan, type SpanCollector, startSpanCollector } from "./span-collector.ts";

/** A gate whose environment asks for traces, before a real registry. */

const stack = closingStack();
const traceId = "0af7651916cd43dd8448eb211c80319c";
const parentId = "b7ad6b7169203331";
const parent = `00-${traceId}-${parentId}-01`;
const alice = basic("alice", "alicepw");
const kinds = { internal: 1, server: 2, client: 3 };

let registry: DockerRegistry;
let relay: RecordingRelay;
let collector: SpanCollector;
let users: string;

beforeAll(async () => {
  registry = await stack.keep(startDockerRegistry());
  relay = await stack.keep(startRecordingRelay(new URL(registry.url).host));
  collector = await stack.keep(startSpanCollector());
  users = await passwordFile({ alice: "alicepw" });
});

afterAll(() => stack.close());

async function tracedGate(
  environment: Readonly<Record<string, string>> = {},
  upstream = relay.url,
): Promise<RunningGate> {
  const gate = await startGate({
    configuration: {
      listen: { address: "127.0.0.1:0" },
      upstream: { url: upstream },
      auth: { backends: [{ type: "htpasswd", id: "staff", file: "htpasswd" }] },
    },
    files: { htpasswd: users },
    environment: {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_SERVICE_NAME: "the-gate",
      OTEL_BSP_SCHEDULE_DELAY: "200",
      ...environment,
    },
  });
  onTestFinished(() => gate.close());
  relay.take();
  return gate;
}

/** The spans of a request, as soon as the last one, which is its own, has come. */
async function spansOf(requestId: string): Promise<readonly ReceivedSpan[]> {
  const own = (): ReceivedSpan | undefined =>
    collector.spans.find(({ attributes }) => attributes["registry_gate.request_id"] === requestId);
  await expect.poll(own).toBeDefined();
  return collector.spans.filter((span) => span.traceId === own()?.traceId);
}

function idOf(response: Response): string {
  return response.headers.get("x-request-id") ?? "";
}

test("continues a client's trace with a span for each step and backend, and at the registry", async () => {
  const gate = await tracedGate();
  const response = await fetch(`${gate.url}/v2/team/app/tags/list`, { headers: { ...alice, traceparent: parent } });
  expect(response.status).toBe(404);
  const spans = await spansOf(idOf(response));
  const named = (name: string): ReceivedSpan => {
    const [found, ...more] = spans.filter((span) => span.name === name);
    if (found === undefined || more.length > 0) throw new Error(`${name} is there ${1 + more.length} times`);
    return found;
  };
  const request = named("list-tags");
  expect(request).toMatchObject({ traceId, parentSpanId: parentId, kind: kinds.server });
  expect(request.attributes).toMatchObject({
    "http.request.method": "GET",
    "http.response.status_code": 404,
    "registry_gate.operation": "list-tags",
    "registry_gate.repository": "team/app",
    "registry_gate.decision": "allowed",
    "registry_gate.outcome": "completed",
  });
  for (const name of ["validate", "authenticate", "authorize", "forward"]) {
    expect(named(name).parentSpanId, name).toBe(request.spanId);
  }
  expect(named("backend staff")).toMatchObject({
    parentSpanId: named("authenticate").spanId,
    attributes: { "registry_gate.outcome": "authenticated", "registry_gate.scheme": "basic" },
  });
  expect(spans).toHaveLength(6);
  expect(relay.take().join("")).toContain(`traceparent: 00-${traceId}-${named("forward").spanId}-01\r\n`);
  expect(collector.resource).toMatchObject({ "service.name": "the-gate" });
});

test("begins a trace where the client has none, and names no user in it", async () => {
  const gate = await tracedGate();
  const response = await fetch(`${gate.url}/v2/`, { headers: basic("alice", "wrong-password") });
  expect(response.status).toBe(401);
  const spans = await spansOf(idOf(response));
  expect(spans.map(({ name }) => name).sort()).toEqual(["authenticate", "backend staff", "ping", "validate"]);
  expect(spans.filter(({ parentSpanId = "" }) => parentSpanId === "")).toHaveLength(1);
  expect(JSON.stringify(spans)).not.toMatch(/alice|wrong-password/);
});

test("marks a request that the registry did not answer as failed", async () => {
  const gate = await tracedGate({}, "http://127.0.0.1:9");
  const response = await fetch(`${gate.url}/v2/team/app/tags/list`, { headers: alice });
  expect(response.status).toBe(502);
  const request = (await spansOf(idOf(response))).find(({ name }) => name === "list-tags");
  expect(request?.status).toMatchObject({ code: 2 });
});

test("sends the spans that wait when the gate is stopped", async () => {
  const gate = await tracedGate({ OTEL_BSP_SCHEDULE_DELAY: "600000" });
  const response = await fetch(`${gate.url}/v2/`, { headers: alice });
  gate.kill("SIGTERM");
  expect(await gate.ended).toBe(0);
  expect((await spansOf(idOf(response))).map(({ name }) => name)).toContain("ping");
});

test("follows nothing by the sampler always_off, and still passes a context on", async () => {
  const gate = await tracedGate({ OTEL_TRACES_SAMPLER: "always_off" });
  const before = collector.spans.length;
  const { status } = await fetch(`${gate.url}/v2/`, { headers: { ...alice, traceparent: parent } });
  expect(status).toBe(200);
  gate.kill("SIGTERM");
  await gate.ended;
  expect(collector.spans).toHaveLength(before);
  expect(relay.take().join("")).toMatch(new RegExp(`traceparent: 00-${traceId}-[0-9a-f]{16}-00\r\n`));
});

test("serves and ends as ever while the collector is away", async () => {
  const gate = await tracedGate({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9" });
  await pushImage({ url: gate.url, headers: alice }, "team/app", "v1", "layer");
  gate.kill("SIGTERM");
  expect(await gate.ended).toBe(0);
});

test("passes the client's context on as it is where nobody asks for traces", async () => {
  const gate = await tracedGate({ OTEL_EXPORTER_OTLP_ENDPOINT: "" });
  await fetch(`${gate.url}/v2/`, { headers: { ...alice, traceparent: parent, tracestate: "vendor=1" } });
  const sent = relay.take().join("");
  expect(sent).toContain(`traceparent: ${parent}\r\n`);
  expect(sent).toContain("tracestate: vendor=1\r\n");
});
