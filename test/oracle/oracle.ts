import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { Agent, createServer, request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AuthBackend } from "@registry-gate/auth";
import { type RequestRecord, registryProxy } from "registry-gate";
import { startDockerRegistryIn } from "../support/docker-registry.ts";
import type { Probe } from "./targets.ts";

/** What docker-registry says that a request is about, when it dispatches it. */
interface Acted {
  readonly name: string | undefined;
  readonly reference: string | undefined;
  readonly uri: string;
}

/** A request that the gate and the registry took for different things. */
export interface Disagreement {
  readonly probe: Probe;
  readonly why: string;
}

export interface Tally {
  readonly probes: number;
  /** Forwarded by the gate. */
  readonly forwarded: number;
  /** Understood by the registry itself, asked without the gate. */
  readonly direct: number;
  readonly disagreements: readonly Disagreement[];
}

export interface Oracle {
  /** Sends the probes to the gate, and to the registry directly, and compares what each took them for. */
  judge(probes: readonly Probe[]): Promise<Tally>;
  close(): Promise<void>;
}

/** What the gate's rules keep from everybody. */
const isSecret = (repository: string): boolean => repository.split("/").includes("secret");

const everybody: AuthBackend = {
  id: "everybody",
  authenticate: async () => ({
    status: "authenticated",
    identity: { subject: "somebody", username: "somebody", groups: [], backend: "everybody" },
  }),
};

const parallel = 16;

/** Starts a real docker-registry, whose log tells what it acts on, and a gate in front of it. */
export async function startOracle(): Promise<Oracle> {
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-oracle-"));
  const acted = new Map<string, Acted[]>();
  const registry = await startDockerRegistryIn(
    directory,
    {},
    {
      inMemory: true,
      onLine: (text) => {
        // Written before the request is served, so before its answer.
        if (!text.includes('"msg":"authorizing request"')) return;
        const line: Readonly<Record<string, unknown>> = JSON.parse(text);
        const agent = String(line["http.request.useragent"]);
        const seen = acted.get(agent) ?? [];
        seen.push({
          name: textOf(line["vars.name"]),
          reference: textOf(line["vars.reference"] ?? line["vars.digest"]),
          uri: String(line["http.request.uri"]),
        });
        acted.set(agent, seen);
      },
    },
  );
  const records = new Map<string, RequestRecord>();
  const proxy = registryProxy({
    upstream: { url: `http://${registry.address}` },
    backends: [everybody],
    access: [
      {
        subjects: ["authenticated"],
        repositories: ["**", "!secret", "!secret/**", "!**/secret", "!**/secret/**"],
        actions: ["*"],
      },
    ],
    // Each probe comes from an address of its own, by which its record is known.
    trustedProxies: ["127.0.0.1"],
    onRequest: (record) => records.set(record.client ?? "", record),
  });
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => proxy(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const gatePort = address !== null && typeof address === "object" ? address.port : 0;
  const registryPort = Number(registry.address.split(":")[1]);
  const agent = new Agent({ keepAlive: true, maxSockets: parallel, scheduling: "fifo" });
  let count = 0;

  async function judge(probes: readonly Probe[]): Promise<Tally> {
    const first = count;
    count += probes.length;
    records.clear();
    acted.clear();
    await inParallel(probes, async ({ method, target }, index) => {
      const client = addressOf(first + index);
      await send(agent, registryPort, method, target, { "User-Agent": `direct-${index}` });
      await send(agent, gatePort, method, target, { "User-Agent": `gated-${index}`, "X-Forwarded-For": client });
    });
    // The log passes through a pipe: when this line of it has come, the lines before it have.
    const last = `last-${first}`;
    while (!acted.has(last)) {
      await send(agent, registryPort, "GET", "/v2/", { "User-Agent": last });
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const disagreements: Disagreement[] = [];
    let forwarded = 0;
    let direct = 0;
    for (const [index, probe] of probes.entries()) {
      const record = records.get(addressOf(first + index));
      const gated = acted.get(`gated-${index}`) ?? [];
      const alone = acted.get(`direct-${index}`) ?? [];
      if (gated.length > 0) forwarded++;
      if (alone.length > 0) direct++;
      const why = disagreement(record, gated, alone);
      if (why !== undefined) disagreements.push({ probe, why });
    }
    return { probes: probes.length, forwarded, direct, disagreements };
  }

  return {
    judge,
    async close() {
      agent.destroy();
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
      await proxy.close();
      await registry.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Why the gate's judgement and the registry's actions do not fit together; `undefined` where they do. */
function disagreement(
  record: RequestRecord | undefined,
  gated: readonly Acted[],
  alone: readonly Acted[],
): string | undefined {
  const [seen, ...more] = gated;
  if (record === undefined || record.decision !== "allowed") {
    return seen === undefined ? undefined : `refused (${record?.reason}), and yet the registry saw ${seen.uri}`;
  }
  if (seen === undefined) {
    // The list that the gate filters is asked for in its own name; docker-registry 2.8 knows no referrers.
    const expected = record.operation === "list-repositories" || record.operation === "list-referrers";
    return expected ? undefined : `${record.operation} was allowed and never arrived`;
  }
  if (more.length > 0) return `one request became ${gated.length}`;
  if (record.repository !== seen.name) return `authorized on ${record.repository}, acted on ${seen.name}`;
  if (record.repository !== undefined && isSecret(record.repository)) return `${record.repository} was to be denied`;
  const { operation } = record;
  if (operation?.endsWith("manifest") || operation?.endsWith("blob") || operation === "list-referrers") {
    if (record.reference !== seen.reference) return `authorized ${record.reference}, acted on ${seen.reference}`;
  }
  const from = new URL(seen.uri, "http://registry").searchParams.get("from");
  if (from !== null && isSecret(from)) return `a mount from ${from} reached the registry`;
  const [itself] = alone;
  if (itself !== undefined && itself.name !== seen.name) {
    return `the registry itself takes it for ${itself.name}, the gate for ${seen.name}`;
  }
  return undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function addressOf(number: number): string {
  return `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
}

async function inParallel<T>(items: readonly T[], work: (item: T, index: number) => Promise<void>): Promise<void> {
  const waiting = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of waiting) await work(item, index);
  };
  await Promise.all(Array.from({ length: parallel }, worker));
}

function send(
  agent: Agent,
  port: number,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: "127.0.0.1", port, agent, method, path, headers });
    request.once("response", (response) => {
      response.resume();
      response.once("close", resolve);
    });
    // At what it takes for nonsense a server closes the connection, or answers HEAD with a body: that is an answer too.
    request.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNRESET" || error.code === "EPIPE" || error.code?.startsWith("HPE_")) resolve();
      else reject(error);
    });
    request.end();
  });
}
