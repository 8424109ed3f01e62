import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { runGate } from "../gateway/run-gate.ts";
import { startDockerRegistry, startDockerRegistryIn } from "../support/docker-registry.ts";
import { gateCommand } from "../support/gate.ts";
import { startLoggedServer } from "../support/logged-server.ts";
import { startNginx } from "../support/nginx.ts";
import { nginxRecipe } from "../support/nginx-recipe.ts";
import { passwordFile } from "../support/password-file.ts";
import { manifestType, pushImage } from "../support/registry-content.ts";
import { startRelay } from "../support/relay.ts";
import { detailsOf, doctor, password, user } from "./doctor.ts";
import { type Scene, startFront, startScene } from "./scene.ts";

type Settings = Parameters<typeof startScene>[0];

async function scene(settings?: Settings, registry?: Parameters<typeof startScene>[1]): Promise<Scene> {
  const started = await startScene(settings, registry);
  onTestFinished(() => started.stack.close());
  return started;
}

async function json(url: string): Promise<unknown> {
  return (await fetch(url)).json();
}

/** What a registry has in all, seen around the gate. */
async function contentOf(url: string): Promise<Readonly<Record<string, unknown>>> {
  const catalog = await json(`${url}/v2/_catalog`);
  const content: Record<string, unknown> = {};
  for (const repository of namesIn(catalog)) {
    const list = await json(`${url}/v2/${repository}/tags/list`);
    content[repository] = typeof list === "object" && list !== null && "tags" in list ? list.tags : null;
  }
  return content;
}

function namesIn(catalog: unknown): readonly string[] {
  if (typeof catalog !== "object" || catalog === null || !("repositories" in catalog))
    throw new TypeError("no catalog");
  return Array.isArray(catalog.repositories) ? catalog.repositories.map(String) : [];
}

/** docker-registry keeps the names of repositories whose content is gone. */
const emptied = { "registry-gate-doctor": null, "registry-gate-doctor-mount": null };

describe("a healthy gate", () => {
  test.each<[how: string, auth: object]>([
    ["Basic", { challenge: "basic" }],
    ["tokens", { challenge: "bearer" }],
  ])("with %s yields 0 and keeps no tag, directly and behind nginx", async (_, auth) => {
    const { gate, registry } = await scene({ auth });
    const front = await startFront(gate.url);
    onTestFinished(() => front.close());
    for (const url of [gate.url, `http://127.0.0.1:${front.port}`]) {
      const diagnosis = await doctor(["--url", url]);
      expect(diagnosis).toMatchObject({ code: 0, outcome: "ok", findings: [] });
      const { tag } = detailsOf(diagnosis, "push") ?? {};
      expect(tag).toMatch(/^registry-gate-doctor:doctor-/);
      expect(await contentOf(registry.url)).toEqual(emptied);
      const { digest } = detailsOf(diagnosis, "pull") ?? {};
      const manifest = await fetch(`${registry.url}/v2/registry-gate-doctor/manifests/${digest}`);
      expect(manifest.status).toBe(404);
    }
  });

  test("before the distribution's registry keeps no tag either", async () => {
    const directory = await mkdtemp(join(tmpdir(), "doctor-distribution-"));
    const { address, close } = await startDockerRegistryIn(directory, {}, undefined, {
      start: (server) => startLoggedServer({ command: "distribution", ...server }),
    });
    onTestFinished(async () => {
      await close();
      await rm(directory, { recursive: true, force: true });
    });
    const url = `http://${address}`;
    const { gate } = await scene({}, { url, close });
    expect(await doctor(["--url", gate.url])).toMatchObject({ code: 0, findings: [] });
    expect(
      Object.values(await contentOf(url))
        .flat()
        .filter((tag) => tag !== null),
    ).toEqual([]);
  });

  test("with a user who cannot delete gets no tag at all", async () => {
    const access = [{ subjects: ["authenticated"], repositories: ["team/**"], actions: ["pull", "push"] }];
    const { gate, registry } = await scene({ access });
    const diagnosis = await doctor(["--url", gate.url, "--repository", "team/trial"]);
    expect(diagnosis).toMatchObject({ code: 0, findings: [] });
    expect(detailsOf(diagnosis, "push")).toEqual({
      reason: "by digest, without a tag: this user or registry cannot delete one",
    });
    expect(await contentOf(registry.url)).toEqual({ "team/trial": null, "team/trial-mount": null });
  });

  test("is not needed: docker's own recipe works as well, but for its buffering", async () => {
    const registry = await startDockerRegistry();
    onTestFinished(() => registry.close());
    const front = await startNginx({
      files: { htpasswd: await passwordFile({ [user]: password }) },
      http: (port) => nginxRecipe({ port, registry: new URL(registry.url).host, passwordFile: "htpasswd" }),
    });
    onTestFinished(() => front.close());
    const diagnosis = await doctor(["--url", `http://127.0.0.1:${front.port}`]);
    expect(diagnosis).toMatchObject({ code: 0, ids: ["body-buffered"] });
  });
});

test("leaves the tags of a repository that somebody uses alone", async () => {
  const { gate, registry } = await scene();
  const pushed = await pushImage({ url: registry.url, headers: {} }, "team/app", "v1", "a layer");
  expect(await doctor(["--url", gate.url, "--repository", "team/app"])).toMatchObject({ code: 0 });
  expect(await contentOf(registry.url)).toEqual({ "team/app": ["v1"], "team/app-mount": null });
  const kept = await fetch(`${registry.url}/v2/team/app/manifests/v1`, { headers: { Accept: manifestType } });
  expect(kept.headers.get("docker-content-digest")).toBe(pushed.manifest);
  expect((await fetch(`${registry.url}/v2/team/app/blobs/${pushed.blob}`)).status).toBe(200);
});

test.each<["SIGINT" | "SIGTERM"]>([["SIGINT"], ["SIGTERM"]])(
  "removes its tag and ends with 1 on %s",
  async (signal) => {
    const { gate, registry } = await scene();
    const relay = await startRelay(Number(new URL(gate.url).port));
    onTestFinished(() => relay.close());
    const [, ...before] = gateCommand;
    const child = spawn(
      process.execPath,
      [...before, "doctor", "--url", `http://127.0.0.1:${relay.port}`, "--user", user],
      {
        stdio: ["pipe", "pipe", "pipe"],
      },
    );
    onTestFinished(() => void child.kill("SIGKILL"));
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
    // As soon as the tag is there, its pull is held up, and then the user loses patience.
    relay.tamper((bytes, direction) => {
      if (direction === "up" && /^GET \/v2\/[^ ]+\/blobs\/sha256/.test(bytes.toString("latin1"))) {
        relay.pass();
        child.kill(signal);
        return Buffer.alloc(0);
      }
      return undefined;
    });
    child.stdin.end(`${password}\n`);
    const [code] = await once(child, "close");
    expect(output).toContain("tag registry-gate-doctor:doctor-");
    expect(output).toMatch(/failed +pull .*interrupted/);
    expect(code).toBe(1);
    expect(await contentOf(registry.url)).toEqual({ "registry-gate-doctor": null });
  },
);

describe("the output", () => {
  test("never has the password, in words and in JSON", async () => {
    const { gate } = await scene();
    for (const more of [[], ["--json"]]) {
      const { stdout, stderr } = await runGate(["doctor", "--url", gate.url, "--user", user, ...more], {
        input: `${password}\n`,
      });
      const secrets = [password, Buffer.from(`${user}:${password}`).toString("base64")];
      for (const secret of secrets) expect(`${stdout}${stderr}`).not.toContain(secret);
    }
  });

  test("has a line for each step, and one to sum up", async () => {
    const { gate } = await scene();
    const parameters = ["doctor", "--url", gate.url, "--user", user];
    const { code, stdout } = await runGate(parameters, { input: `${password}\n` });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ {2}http:\/\/127\.0\.0\.1:\d+\n {4}ok +connect +\d+ ms {2}asks for Basic\n/);
    expect(stdout).toMatch(/\nhttp:\/\/127\.0\.0\.1:\d+: ok \(\d+ steps, 0 failures, 0 warnings\)\n$/);
  });

  test("has what was seen, what that breaks and what to change of each finding", async () => {
    const { gate } = await scene();
    const parameters = ["doctor", "--url", gate.url, "--user", user];
    const { code, stdout } = await runGate(parameters, { input: "wrong\n" });
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /\nfailed: login-rejected\n {2}seen {4}GET \/v2\/ gets 401 UNAUTHORIZED.*\n {2}breaks {2}docker login says.*\n {2}change {2}Type/,
    );
  });
});

test.each<[parameters: readonly string[], message: RegExp]>([
  [[], /--config FILE or --url URL is required/],
  [["--url", "http://localhost"], /--url needs --user/],
  [["--url", "http://", "--user", "alice"], /is not a URL/],
  [["--url", "https://alice:secret@localhost", "--user", "alice"], /must hold no login/],
  [["--url", "localhost", "--user", "alice", "--repository", "UPPER"], /is not the name of a repository/],
  [["--url", "localhost", "--user", "alice", "--size", "4"], /is not a number of bytes/],
  [["--url", "localhost", "--user", "alice", "--slow", "4"], /is not a duration/],
])("is refused with %j", async (parameters, message) => {
  const { code, stderr } = await runGate(["doctor", ...parameters]);
  expect(code).toBe(2);
  expect(stderr).toMatch(message);
  expect(stderr).not.toContain("secret");
});
