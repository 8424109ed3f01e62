import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { basic } from "../support/basic.ts";
import { type DockerRegistry, startDockerRegistry } from "../support/docker-registry.ts";
import { freePort } from "../support/free-port.ts";
import { gateCommand } from "../support/gate.ts";
import { type LoggedServer, type ReadServer, startLoggedServer } from "../support/logged-server.ts";
import { runCommand } from "../support/run.ts";
import { type Manifest, named, ofKind, textsOf, valueAt } from "./manifest.ts";
import { type ExistingObjects, makeExistingObjects, writePodFiles } from "./pod-files.ts";
import { renderChart } from "./render.ts";

let existing: ExistingObjects;
let registry: DockerRegistry;
beforeAll(async () => {
  existing = await makeExistingObjects();
  registry = await startDockerRegistry();
});
afterAll(() => registry?.close());

interface Ports {
  readonly gate: number;
  readonly admin: number;
}

interface LiveRelease {
  readonly manifests: readonly Manifest[];
  readonly ports: Ports;
  /** Where the files of its pods are. */
  readonly directory: string;
}

/** Renders the chart for loopback, and writes the files of a pod. */
async function release(values: Readonly<Record<string, unknown>>, config: object = {}): Promise<LiveRelease> {
  const ports = { gate: await freePort(), admin: await freePort() };
  const { manifests } = await renderChart({
    bindAddress: "127.0.0.1",
    ports,
    registry: { enabled: false },
    ...values,
    config: { upstream: { url: registry.url }, admin: { drainDelay: "0s" }, ...config },
  });
  return { manifests, ports, directory: await podDirectory(manifests) };
}

async function podDirectory(manifests: readonly Manifest[]): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-pod-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const pod = ofKind(manifests, "Deployment")[0]?.at("spec", "template", "spec");
  await writePodFiles(pod, directory, { manifests, existing });
  return directory;
}

async function startPod(directory: string): Promise<ReadServer> {
  const [command, ...parameters] = gateCommand;
  const server = await startLoggedServer({
    command,
    parameters: [...parameters, "serve", "--config", join(directory, "registry-gate.yaml")],
    directory,
    log: "stdout",
    addressIn: ({ event, address }) => (event === "listening" && typeof address === "string" ? address : undefined),
  });
  onTestFinished(() => server.close());
  return server;
}

/** Runs the container of `helm test`, with names of the cluster as loopback has them. */
async function helmTest({ manifests, ports }: LiveRelease): Promise<Awaited<ReturnType<typeof runCommand>>> {
  const [pod] = ofKind(manifests, "Pod");
  const [container] = pod?.list("spec", "containers") ?? [];
  const [program, flag] = [valueAt(container, ["command", 0]), valueAt(container, ["command", 1])];
  expect(program).toBe("node");
  const environment = Object.fromEntries(
    (pod?.list("spec", "containers", 0, "env") ?? []).map((variable) => {
      const { name = "", value = "" } = textsOf(variable);
      const url = new URL(value);
      url.hostname = "127.0.0.1";
      url.port = String(name === "GATE" ? ports.gate : ports.admin);
      return [name, url.href];
    }),
  );
  return runCommand(process.execPath, [String(flag), String(valueAt(container, ["args", 0]))], { environment });
}

describe("helm test", () => {
  it("passes on a gate with the rendered configuration", async () => {
    const live = await release({ htpasswd: { existingSecret: "existing-users" } });
    await startPod(live.directory);
    expect(await helmTest(live)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("responds 401"),
      stderr: "",
    });
  });

  it("passes on a gate with TLS and with anonymous pulls", async () => {
    const anybodyPulls = [{ subjects: ["anonymous"], repositories: ["**"], actions: ["pull"] }];
    const live = await release(
      { replicaCount: 1, tls: { existingSecret: "existing-certificate" } },
      { access: anybodyPulls },
    );
    await startPod(live.directory);
    expect(await helmTest(live)).toMatchObject({ code: 0, stdout: expect.stringMatching(/^https:.*responds/) });
  });

  it("fails where the gate is not ready, and says why", async () => {
    const port = await freePort();
    const live = await release({}, { upstream: { url: `http://127.0.0.1:${port}` } });
    await startPod(live.directory);
    const { code, stderr } = await helmTest(live);
    expect(code).toBe(1);
    expect(stderr).toMatch(/not ready: 503 .*registry/s);
  });

  it("fails where there is no gate", async () => {
    const live = await release({});
    expect(await helmTest(live)).toMatchObject({ code: 1, stderr: expect.stringContaining("ECONNREFUSED") });
  });
});

/** Starts two pods of a release, the second one at other ports. */
async function startTwoPods(first: LiveRelease): Promise<readonly [ReadServer, ReadServer]> {
  const directory = await podDirectory(first.manifests);
  const file = join(directory, "registry-gate.yaml");
  const moved = (await readFile(file, "utf8"))
    .replace(`:${first.ports.gate}`, `:${await freePort()}`)
    .replace(`:${first.ports.admin}`, `:${await freePort()}`);
  await rm(file);
  await writeFile(file, moved);
  return [await startPod(first.directory), await startPod(directory)];
}

describe("two replicas", () => {
  it("share uploads: what one began goes on at the other, while the first one stops", async () => {
    const live = await release({ htpasswd: { existingSecret: "existing-users" } });
    const [one, other] = await startTwoPods(live);
    const headers = { ...basic("alice", "correct horse"), "content-type": "application/octet-stream" };
    const started = await fetch(`http://${one.address}/v2/team/app/blobs/uploads/`, { method: "POST", headers });
    expect(started.status).toBe(202);
    one.kill("SIGTERM");
    expect(await one.ended).toBe(0);
    const body = "a layer";
    const digest = `sha256:${createHash("sha256").update(body).digest("hex")}`;
    const at = (location: string | null): URL => new URL(String(location), `http://${other.address}`);
    const patched = await fetch(at(started.headers.get("location")), { method: "PATCH", headers, body });
    expect(patched.status).toBe(202);
    const end = at(patched.headers.get("location"));
    end.searchParams.set("digest", digest);
    expect((await fetch(end, { method: "PUT", headers })).status).toBe(201);
    const pulled = await fetch(`http://${other.address}/v2/team/app/blobs/${digest}`, { headers });
    expect(await pulled.text()).toBe(body);
  });

  it("take each other's tokens, by the key that the chart made", async () => {
    const anybodyPulls = [{ subjects: ["anonymous"], repositories: ["public/**"], actions: ["pull"] }];
    const first = await release({}, { access: anybodyPulls, auth: { token: { refreshTtl: "0s", service: "images" } } });
    const [one, other] = await startTwoPods(first);
    const response = await fetch(`http://${one.address}/v2/auth?service=images&scope=repository:public/app:pull`);
    const { token } = textsOf(await response.json().then((body: unknown) => ({ token: valueAt(body, ["token"]) })));
    const list = (address: string, bearer: string): Promise<Response> =>
      fetch(`http://${address}/v2/public/app/tags/list`, { headers: { authorization: `Bearer ${bearer}` } });
    // Allowed: it is the registry that knows no such repository.
    expect((await list(other.address, String(token))).status).toBe(404);
    expect((await list(other.address, `${token}x`)).status).toBe(401);
  });
});

describe("the chart's registry", () => {
  const start = (server: Omit<LoggedServer, "command">) => startLoggedServer({ ...server, command: "distribution" });

  it("is one that distribution 3 starts", async () => {
    const { manifests } = await renderChart({});
    const configuration = String(named(manifests, "ConfigMap", "gate-registry-gate-registry").at("data", "config.yml"));
    const directory = await mkdtemp(join(tmpdir(), "registry-gate-registry-"));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    await mkdir(join(directory, "storage"));
    const file = join(directory, "config.yml");
    const port = await freePort();
    await writeFile(
      file,
      configuration
        .replace("addr: :5000", `addr: 127.0.0.1:${port}`)
        .replace("/var/lib/registry", join(directory, "storage")),
    );
    const server = await start({
      parameters: ["serve", file],
      directory,
      environment: { REGISTRY_HTTP_SECRET: "0123456789abcdef", OTEL_TRACES_EXPORTER: "none" },
      log: "stderr",
      addressIn: ({ msg }) => /^listening on (\S+)/.exec(String(msg))?.[1],
    });
    onTestFinished(() => server.close());
    const probe = valueAt(ofKind(manifests, "StatefulSet")[0]?.list("spec", "template", "spec", "containers")[0], [
      "readinessProbe",
      "httpGet",
      "path",
    ]);
    expect((await fetch(`http://127.0.0.1:${port}${probe}`)).status).toBe(200);
    const upload = await fetch(`http://127.0.0.1:${port}/v2/team/app/blobs/uploads/`, { method: "POST" });
    expect(upload.status).toBe(202);
    expect(upload.headers.get("location")).toMatch(/^\/v2\//);
  });
});
