import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { basic } from "../support/basic.ts";
import { startDockerRegistryIn } from "../support/docker-registry.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { listen } from "../support/listen.ts";
import type { RunningServer } from "../support/logged-server.ts";
import { passwordFile } from "../support/password-file.ts";
import { type PushedImage, pushImage } from "../support/registry-content.ts";
import { run } from "../support/run.ts";

/** A real registry that keeps its blobs elsewhere, and redirects those who ask for them. */

const content = "a layer that lies elsewhere";

let directory: string;
let storage: Server;
let storageUrl: string;
let registry: RunningServer;
let gate: RunningGate;
let image: PushedImage;
/** What the storage was asked: the headers of each request. */
const asked: IncomingHttpHeaders[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "registry-gate-redirect-"));
  storage = createServer((request, response) => {
    asked.push(request.headers);
    const [path = ""] = (request.url ?? "").split("?");
    readFile(join(directory, "data", path)).then(
      (data) => response.end(data),
      () => response.writeHead(404).end(),
    );
  });
  storageUrl = `http://127.0.0.1:${await listen(storage)}`;
  registry = await startDockerRegistryIn(directory, {}, undefined, { redirectTo: storageUrl });
  gate = await startGate({
    configuration: {
      listen: { address: "127.0.0.1:0" },
      upstream: { url: `http://${registry.address}` },
      auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
    },
    files: { htpasswd: await passwordFile({ alice: "alice-password" }) },
  });
  image = await pushImage({ url: gate.url, headers: basic("alice", "alice-password") }, "team/app", "v1", content);
});

beforeEach(() => {
  asked.length = 0;
});

afterAll(async () => {
  await gate.close();
  await registry.close();
  const closed = once(storage, "close");
  storage.close();
  storage.closeAllConnections();
  await closed;
  await rm(directory, { recursive: true, force: true });
});

const blob = (): string => `/v2/team/app/blobs/${image.blob}`;

test("a redirect passes to the client as the registry wrote it, and the gate does not follow it", async () => {
  const headers = basic("alice", "alice-password");
  const direct = await fetch(`http://${registry.address}${blob()}`, { redirect: "manual" });
  const gated = await fetch(gate.url + blob(), { redirect: "manual", headers });
  expect(direct.status).toBe(307);
  expect(gated.status).toBe(307);
  expect(gated.headers.get("location")).toBe(direct.headers.get("location"));
  expect(gated.headers.get("location")?.startsWith(`${storageUrl}/docker/registry/v2/blobs/sha256/`)).toBe(true);
  expect([...gated.headers.values()].join()).not.toContain(headers.authorization.slice("Basic ".length));
  expect(asked).toEqual([]);
});

test("a client that follows it gets the blob, and the storage gets no password", async () => {
  const parameters = ["--silent", "--fail", "--location", "--user", "alice:alice-password", gate.url + blob()];
  expect(await run("curl", parameters)).toBe(content);
  expect(asked).toHaveLength(1);
  expect(asked[0]).toMatchObject({ "user-agent": expect.stringMatching(/^curl\//) });
  expect(asked[0]).not.toHaveProperty("authorization");
});

test("does not redirect a user who may not pull", async () => {
  for (const headers of [{}, basic("alice", "wrong")]) {
    const { status, headers: answered } = await fetch(gate.url + blob(), { redirect: "manual", headers });
    expect([status, answered.get("location")]).toEqual([401, null]);
  }
  expect(asked).toEqual([]);
});
