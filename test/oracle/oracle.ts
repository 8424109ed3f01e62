import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { Agent, createServer, request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AuthBackend } from "@registry-gate/auth";
import { type RequestRecord, registryProxy } from "@registry-gate/core";
import { startDockerRegistryIn } from "../support/docker-registry.ts";
import { startRecordingRelay } from "../support/recording-relay.ts";
import { disagreement, secretGlobs } from "./disagreement.ts";
import { type Acted, actedIn } from "./registry-reading.ts";
import type { Probe } from "./well-formed.ts";

/** A request that the gate and the registry took for different things. */
export interface Disagreement {
  readonly probe: Probe;
  readonly why: string;
}

export interface Tally {
  readonly probes: number;
  /** Forwarded by the gate, by operation. */
  readonly forwarded: ReadonlyMap<string, number>;
  /** Understood by the registry itself, asked without the gate. */
  readonly direct: number;
  readonly disagreements: readonly Disagreement[];
}

export interface Oracle {
  /** Sends the probes to the gate, and to the registry directly, and compares what each took them for. */
  judge(probes: readonly Probe[]): Promise<Tally>;
  close(): Promise<void>;
}

const everybody: AuthBackend = {
  id: "everybody",
  authenticate: async () => ({
    status: "authenticated",
    identity: { subject: "somebody", username: "somebody", groups: [], backend: "everybody" },
  }),
};

const parallel = 16;

/**
 * Starts a real docker-registry, whose log tells what it acts on, a relay before it that keeps each byte, and a gate in
 * front of both.
 */
export async function startOracle(): Promise<Oracle> {
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-oracle-"));
  const acted = new Map<string, Acted[]>();
  const registry = await startDockerRegistryIn(
    directory,
    {},
    {
      inMemory: true,
      onLine: (text) => {
        // Written before the request is served, so before its response.
        if (!text.includes('"msg":"authorizing request"')) return;
        const line: Readonly<Record<string, unknown>> = JSON.parse(text);
        push(acted, String(line["http.request.useragent"]), actedIn(line));
      },
    },
  );
  const relay = await startRecordingRelay(registry.address);
  const records = new Map<string, RequestRecord>();
  const proxy = registryProxy({
    upstream: { url: relay.url },
    backends: [everybody],
    access: [{ subjects: ["authenticated"], repositories: ["**", ...secretGlobs], actions: ["*"] }],
    // Each probe comes from an address of its own, by which its record is known.
    trustedProxies: ["127.0.0.1"],
    onFinished: (record) => records.set(record.client ?? "", record),
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
    relay.take();
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
    const { received, strange } = headsIn(relay.take());
    const disagreements: Disagreement[] = [];
    const forwarded = new Map<string, number>();
    let direct = 0;
    for (const [index, probe] of probes.entries()) {
      const record = records.get(addressOf(first + index));
      const heads = received.get(`gated-${index}`) ?? [];
      const gated = acted.get(`gated-${index}`) ?? [];
      const alone = acted.get(`direct-${index}`) ?? [];
      if (heads.length > 0) forwarded.set(record?.operation ?? "", (forwarded.get(record?.operation ?? "") ?? 0) + 1);
      if (alone.length > 0) direct++;
      const why = disagreement({ probe, record, heads, gated, alone });
      if (why !== undefined) disagreements.push({ probe, why });
    }
    for (const text of strange) {
      disagreements.push({ probe: { method: "", target: "" }, why: `the registry was sent ${JSON.stringify(text)}` });
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
      await relay.close();
      await registry.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** What the gate asks in its own name: pages of the list that it filters. */
const ownQuestion =
  /^GET \/v2\/_catalog\?n=\d{3,4}(?:&last=[^ &]*)? HTTP\/1\.1\r\nhost: [\d.:]+\r\naccept: application\/json\r\n/;

/** Takes what the registry was sent apart into heads, by their agent. No probe has a body, so a head is all there is. */
function headsIn(texts: readonly string[]): { received: ReadonlyMap<string, string[]>; strange: string[] } {
  const received = new Map<string, string[]>();
  const strange: string[] = [];
  for (const head of texts.flatMap((text) => text.split(/(?<=\r\n\r\n)/))) {
    const agent = /\r\nuser-agent: (gated-\d+)\r\n/.exec(head)?.[1];
    if (agent !== undefined && head.endsWith("\r\n\r\n")) push(received, agent, head);
    else if (!ownQuestion.test(head)) strange.push(head);
  }
  return { received, strange };
}

function push<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
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
    // At what it takes for nonsense a server closes the connection, or responds to HEAD with a body: that is a response too.
    request.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNRESET" || error.code === "EPIPE" || error.code?.startsWith("HPE_")) resolve();
      else reject(error);
    });
    request.end();
  });
}
