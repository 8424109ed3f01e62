import { type ChildProcessByStdio, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startable } from "../programs/startable.ts";
import { type DockerRegistry, startDockerRegistry } from "../support/docker-registry.ts";
import { run } from "../support/run.ts";
import { nodes } from "./nodes.ts";
import { packWorkspace } from "./pack.ts";
import { compileStrangerProject, createStrangerProject, plainEnvironment } from "./stranger-project.ts";

const manifestType = "application/vnd.oci.image.manifest.v1+json";
const basic = (user: string, password: string): string => `Basic ${btoa(`${user}:${password}`)}`;
const pusher = basic("testuser", "testpassword");
const reader = basic("reader", "readerpassword");

let directory: string;
let project: string;
let registry: DockerRegistry;
const portals = new Map<string, Portal>();

interface Portal {
  readonly process: ChildProcessByStdio<null, Readable, Readable>;
  /** Where each of its applications listens. */
  readonly ports: Readonly<Record<string, number>>;
  complaints(): string;
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "registry-gate-stranger-"));
  project = join(directory, "project");
  registry = await startDockerRegistry();
  const packages = await packWorkspace(join(directory, "tarballs"));
  await createStrangerProject(project, packages, join(import.meta.dirname, "stranger/portal.ts"));
  await compileStrangerProject(project);

  // One hash of libuv's threads and one of a worker thread, whose program is a file of its own in the package.
  const bcrypt = await run("htpasswd", ["-nbB", "testuser", "testpassword"]);
  const sha512 = await run("openssl", ["passwd", "-6", "readerpassword"]);
  await writeFile(join(directory, "users"), `${bcrypt.trim()}\nreader:${sha512.trim()}\n`);
  await writeFile(join(directory, "groups"), "pushers: testuser\n");

  for (const [name, node] of nodes) portals.set(name, await startPortal(node));
}, 300_000);

async function startPortal(node: string): Promise<Portal> {
  const portal = spawn(
    startable(node),
    ["dist/portal.js", registry.url, join(directory, "users"), join(directory, "groups")],
    {
      cwd: project,
      env: plainEnvironment(node),
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let complaints = "";
  portal.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaints += text;
  });
  for await (const line of createInterface({ input: portal.stdout })) {
    return { process: portal, ports: JSON.parse(line), complaints: () => complaints };
  }
  throw new Error(`the portal did not start\n${complaints}`);
}

afterAll(async () => {
  for (const portal of portals.values()) portal.process.kill("SIGKILL");
  await registry?.close();
  if (directory !== undefined) await rm(directory, { recursive: true, force: true });
});

const mounts = nodes.flatMap(([node]) => ["underV2", "atRoot"].map((mount) => [mount, node] as const));

describe.each(mounts)("a stranger's Express application with the gate mounted %s, on %s", (mount, node) => {
  const at = (path: string): string => new URL(path, `http://127.0.0.1:${portals.get(node)?.ports[mount]}`).href;
  const repository = `team/${mount.toLowerCase()}`;

  async function pushBlob(content: Uint8Array<ArrayBuffer>, authorization: string): Promise<string> {
    const digest = `sha256:${createHash("sha256").update(content).digest("hex")}`;
    const begun = await fetch(at(`/v2/${repository}/blobs/uploads/`), { method: "POST", headers: { authorization } });
    expect(begun.status).toBe(202);
    const location = new URL(begun.headers.get("location") ?? "", begun.url);
    expect(location.origin).toBe(new URL(begun.url).origin);
    location.searchParams.set("digest", digest);
    const headers = { authorization, "content-type": "application/octet-stream" };
    const done = await fetch(location, { method: "PUT", headers, body: content });
    expect(done.status).toBe(201);
    expect(done.headers.get("docker-content-digest")).toBe(digest);
    return digest;
  }

  it.each(["/v2/", "/v2", `/v2/${repository}/tags/list`])(
    "asks clients that come to %s without a password for one",
    async (path) => {
      const response = await fetch(at(path));
      expect(response.status).toBe(401);
      expect(response.headers.get("www-authenticate")).toMatch(/^Basic realm="Portal"/);
      expect(response.headers.get("docker-distribution-api-version")).toBe("registry/2.0");
      expect(await response.json()).toMatchObject({ errors: [{ code: "UNAUTHORIZED" }] });
    },
  );

  it("turns a wrong password away", async () => {
    const response = await fetch(at("/v2/"), { headers: { authorization: basic("testuser", "wrong") } });
    expect(response.status).toBe(401);
  });

  it.each([
    ["a bcrypt password", pusher],
    ["a SHA-512 password", reader],
    ["a token of the portal's own backend", "Bearer portal-robot"],
  ])("lets %s in", async (_, authorization) => {
    const response = await fetch(at("/v2/"), { headers: { authorization } });
    expect(response.status).toBe(200);
    expect(response.headers.get("docker-distribution-api-version")).toBe("registry/2.0");
  });

  it("passes a push of blobs and a manifest on, and gives them back", async () => {
    const layer = new Uint8Array(randomBytes(3 * 1024 * 1024));
    const config = new TextEncoder().encode("{}");
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      config: {
        mediaType: "application/vnd.oci.image.config.v1+json",
        digest: await pushBlob(config, pusher),
        size: config.length,
      },
      layers: [
        {
          mediaType: "application/vnd.oci.image.layer.v1.tar",
          digest: await pushBlob(layer, pusher),
          size: layer.length,
        },
      ],
    });
    const url = at(`/v2/${repository}/manifests/latest`);
    const pushed = await fetch(url, {
      method: "PUT",
      headers: { authorization: pusher, "content-type": manifestType },
      body: manifest,
    });
    expect(pushed.status).toBe(201);

    const pulled = await fetch(url, { headers: { authorization: reader, accept: manifestType } });
    expect(pulled.status).toBe(200);
    expect(await pulled.text()).toBe(manifest);
    const blob = await fetch(at(`/v2/${repository}/blobs/${JSON.parse(manifest).layers[0].digest}`), {
      headers: { authorization: reader },
    });
    expect(Buffer.from(await blob.arrayBuffer()).equals(layer)).toBe(true);
  });

  it("forbids a reader to push, before a byte of the body is sent", async () => {
    const file = join(directory, `refused-${mount}`);
    await writeFile(file, randomBytes(256 * 1024));
    const output = await run("curl", [
      ...["--silent", "--show-error", "--user", "reader:readerpassword", "--request", "PUT", "--upload-file", file],
      ...["--header", "Expect: 100-continue", "--expect100-timeout", "30"],
      ...["--write-out", "\n%{http_code} %{size_upload}", at(`/v2/${repository}/manifests/latest`)],
    ]);
    const [body = "", outcome] = output.split("\n").filter((line) => line !== "");
    expect(JSON.parse(body)).toMatchObject({ errors: [{ code: "DENIED" }] });
    expect(outcome).toBe("403 0");
  });

  it("forbids a pusher what no rule allows", async () => {
    const url = at("/v2/other/app/blobs/uploads/");
    expect((await fetch(url, { method: "POST", headers: { authorization: pusher } })).status).toBe(403);
  });

  it("leaves the application its own routes and parsed bodies", async () => {
    expect(await (await fetch(at("/"))).text()).toBe("the portal");
    expect(await (await fetch(at("/v2-migration"))).text()).toBe("a page that only looks like the registry");
    expect((await fetch(at("/nothing"))).status).toBe(404);
    const note = await fetch(at("/notes"), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ text: "parsed" }),
    });
    expect(note.status).toBe(201);
    expect(await note.json()).toEqual({ received: { text: "parsed" } });
  });

  it("reports each request to the registry, and no other, to the application", async () => {
    const records: { method: string; operation?: string; repository?: string; decision: string; username?: string }[] =
      JSON.parse(await (await fetch(at("/records"))).text());
    expect(records).toContainEqual(
      expect.objectContaining({
        method: "PUT",
        repository,
        reference: "latest",
        username: "reader",
        decision: "denied",
      }),
    );
    expect(records).toContainEqual(
      expect.objectContaining({
        method: "PUT",
        repository,
        reference: "latest",
        username: "testuser",
        decision: "allowed",
      }),
    );
    expect(JSON.stringify(records)).not.toMatch(/testpassword|readerpassword|portal-robot/);
  });
});

describe("a stranger's project", () => {
  it("holds the packages as files, not as links into the workspace", async () => {
    const script =
      'console.log(import.meta.resolve("@registry-gate/core"), import.meta.resolve("@registry-gate/auth"))';
    const output = await run(process.execPath, ["--input-type=module", "--eval", script], {
      cwd: project,
      env: plainEnvironment(),
    });
    for (const url of output.trim().split(" ")) expect(url).toMatch(/\/project\/node_modules\/.+\/dist\/index\.js$/);
  });

  it.each(nodes)("ends when the portal closes what it opened, without a word of complaint, on %s", async (name) => {
    const portal = portals.get(name);
    if (portal === undefined) throw new Error("the portal is not there");
    const exited = once(portal.process, "exit");
    portal.process.kill("SIGTERM");
    expect(await exited).toEqual([0, null]);
    expect(portal.complaints()).toBe("");
  });
});
