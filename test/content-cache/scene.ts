import { mkdtemp, rm } from "node:fs/promises";
import { type Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { basic } from "../support/basic.ts";
import { type FurtherSettings, startDockerRegistryIn } from "../support/docker-registry.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { startLoggedServer } from "../support/logged-server.ts";
import { passwordFile } from "../support/password-file.ts";
import { startRelay } from "../support/relay.ts";

export const registries = ["docker-registry 2.8", "distribution 3.1"] as const;
export type RegistryName = (typeof registries)[number];

export const alice: { readonly authorization: string } = basic("alice", "alice-password");

/** A registry, and a gate with a cache before it. */
export interface Scene {
  readonly gate: RunningGate;
  /** Past the gate. */
  readonly registryUrl: string;
  /** The request lines that the registry got from the gate so far. */
  asked(): string[];
}

/** @param cache As in the configuration. */
export async function setScene(registry: RegistryName, cache: object, changes: object = {}): Promise<Scene> {
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-cached-"));
  const started: FurtherSettings =
    registry === "distribution 3.1"
      ? { start: (server) => startLoggedServer({ command: "distribution", ...server }) }
      : {};
  const server = await startDockerRegistryIn(directory, {}, undefined, started);
  onTestFinished(async () => {
    await server.close();
    await rm(directory, { recursive: true, force: true });
  });
  const relay = await startRelay(Number(new URL(`http://${server.address}`).port));
  onTestFinished(() => relay.close());
  const gate = await startGate({
    configuration: {
      listen: { address: "127.0.0.1:0" },
      upstream: { url: `http://127.0.0.1:${relay.port}`, cache },
      auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
      access: [{ subjects: ["authenticated"], repositories: ["**"], actions: ["pull", "push", "delete"] }],
      ...changes,
    },
    files: { htpasswd: await passwordFile({ alice: "alice-password" }) },
  });
  onTestFinished(() => gate.close());
  return {
    gate,
    registryUrl: `http://${server.address}`,
    asked: () =>
      relay
        .sent()
        .toString("latin1")
        .match(/^(?:GET|HEAD|PUT|POST|PATCH|DELETE) \S+/gm) ?? [],
  };
}

export interface Response {
  readonly status: number;
  /** Name and value by turns, as they came. */
  readonly raw: readonly string[];
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: Buffer;
}

/** Sends a request as Alice. */
export function send(
  url: string,
  path: string,
  { method = "GET", headers = {}, agent }: { method?: string; headers?: Record<string, string>; agent?: Agent } = {},
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const sent = request(
      url + path,
      { method, headers: { ...alice, ...headers }, ...(agent && { agent }) },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.once("error", reject);
        response.once("end", () => {
          const { statusCode: status = 0, rawHeaders: raw, headers: read } = response;
          resolve({ status, raw, headers: read, body: Buffer.concat(chunks) });
        });
      },
    );
    sent.once("error", reject);
    sent.end();
  });
}

/** What differs between any two responses of the gate. */
const everDifferent = ["date", "x-request-id"];

/** Status, headers and body, without what differs in any case. */
export function comparable({ status, raw, body }: Response): unknown {
  const headers: string[] = [];
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] ?? "";
    if (!everDifferent.includes(name.toLowerCase())) headers.push(`${name}: ${raw[index + 1]}`);
  }
  return { status, headers, body: body.toString("latin1") };
}
