import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startable } from "../programs/startable.ts";
import { type DockerRegistry, startDockerRegistry } from "../support/docker-registry.ts";
import { freePort } from "../support/free-port.ts";
import { run } from "../support/run.ts";
import { nodes } from "./nodes.ts";
import { packWorkspace } from "./pack.ts";
import { createProject, plainEnvironment } from "./stranger-project.ts";

/** Writes down where the modules come from that a process loads. */
const countFiles = `
import { writeFileSync } from "node:fs";
import { registerHooks } from "node:module";
const files = [];
registerHooks({
  load(url, context, next) {
    if (url.startsWith("file:")) files.push(url);
    return next(url, context);
  },
});
process.on("exit", () => {
  writeFileSync("count.txt", files.join("\\n"));
  writeFileSync("own.txt", process.moduleLoadList.join("\\n"));
});
`;

let directory: string;
let registry: DockerRegistry;
let program: string;
let gate: ChildProcess | undefined;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "registry-gate-installed-"));
  registry = await startDockerRegistry();
  const packages = await packWorkspace(join(directory, "tarballs"));
  await createProject(join(directory, "project"), packages, ["registry-gate"]);
  program = join(directory, "project/node_modules/.bin/registry-gate");
  await writeFile(join(directory, "users"), await run("htpasswd", ["-nbB", "testuser", "testpassword"]));
}, 300_000);

afterAll(async () => {
  if (gate?.exitCode === null) gate.kill("SIGKILL");
  await registry?.close();
  if (directory !== undefined) await rm(directory, { recursive: true, force: true });
});

describe.each(nodes)("the gateway, installed from its tarball, on %s", (_name, node) => {
  const env = plainEnvironment(node);
  const call = (...args: string[]): Promise<string> => run(program, args, { cwd: directory, env });

  async function configuration(name: string, more: object): Promise<string> {
    const backends = [{ type: "htpasswd", file: "users" }];
    const path = join(directory, name);
    // JSON is YAML.
    await writeFile(path, JSON.stringify({ upstream: { url: registry.url }, auth: { backends }, ...more }));
    return path;
  }

  it("finds a good configuration good", async () => {
    const path = await configuration("good.yaml", { listen: { address: "127.0.0.1:0" } });
    await expect(call("check", "--config", path)).resolves.toBeTypeOf("string");
  });

  it("ends with exit code 1 at a bad configuration, and names the keys", async () => {
    const path = await configuration("bad.yaml", { listen: { address: "127.0.0.1:0", port: 1 }, colour: "red" });
    const failure = await call("check", "--config", path).catch((error: Error) => error);
    expect(failure).toMatchObject({
      cause: { code: 1 },
      message: expect.stringMatching(/listen\.port.*colour|colour.*listen\.port/s),
    });
  });

  it("prints the schema of the configuration", async () => {
    expect(JSON.parse(await call("schema"))).toMatchObject({ properties: { listen: {}, upstream: {}, auth: {} } });
  });

  it("serves, and ends at SIGTERM", async () => {
    const port = await freePort();
    const path = await configuration("serve.yaml", { listen: { address: `127.0.0.1:${port}` } });
    let log = "";
    const child = spawn(startable(program), ["serve", "--config", path], { cwd: directory, env });
    gate = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        log += text;
      });
    }
    const url = `http://127.0.0.1:${port}/v2/`;
    for (let attempt = 0; ; attempt++) {
      const response = await fetch(url).catch(() => undefined);
      if (response?.status === 401) break;
      if (child.exitCode !== null || attempt === 100) throw new Error(`the gate does not respond\n${log}`);
      await delay(100);
    }
    const authorization = `Basic ${btoa("testuser:testpassword")}`;
    expect((await fetch(url, { headers: { authorization } })).status).toBe(200);
    const exited = once(child, "exit");
    child.kill("SIGTERM");
    expect(await exited).toEqual([0, null]);
    expect(log).not.toContain("testpassword");
  });

  it("reads few files when it starts: each is looked for and read by itself", async () => {
    await writeFile(join(directory, "count.mjs"), countFiles);
    const path = await configuration("count.yaml", { listen: { address: "127.0.0.1:0" } });
    const child = spawn(startable(program), ["serve", "--config", path], {
      cwd: directory,
      env: { ...env, NODE_OPTIONS: `--import=${join(directory, "count.mjs")}` },
      stdio: ["ignore", "pipe", "inherit"],
    });
    gate = child;
    const exited = once(child, "exit");
    let output = "";
    for await (const chunk of child.stdout.setEncoding("utf8")) {
      output += chunk;
      if (!child.killed && output.includes('"event":"listening"')) child.kill("SIGTERM");
    }
    expect(await exited).toEqual([0, null]);
    const files = await readFile(join(directory, "count.txt"), "utf8");
    expect(files).toContain("/command/main.js\n");
    expect(files.split("\n").length).toBeLessThan(70);
    // Of Node's own modules, its HTTP client is loaded for whoever imports all of node:http.
    const own = await readFile(join(directory, "own.txt"), "utf8");
    expect(own).toContain("NativeModule http\n");
    expect(own).not.toContain("undici/undici");
  });
});
