import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { startedIndirectly } from "../programs/startable.ts";
import { startDockerRegistry } from "../support/docker-registry.ts";
import { type Dockerd, startDockerd } from "../support/dockerd.ts";
import { imageArchive } from "../support/image-archive.ts";
import { pushImage } from "../support/registry-content.ts";
import { type CommandResult, runCommand } from "../support/run.ts";
import { type Advice, type Demo, demoCommand, startDemo } from "./demo.ts";

// By a shell, as the guide says.
startedIndirectly("docker", "skopeo", "curl");

let dockerd: Dockerd;
let home: string;

beforeAll(async () => {
  dockerd = await startDockerd();
  home = await mkdtemp(join(tmpdir(), "registry-gate-newcomer-"));
  await writeFile(join(home, "busybox.tar"), imageArchive("busybox:latest", [{ "bin/busybox": "all in one" }]));
});

afterAll(async () => {
  await dockerd.close();
  await rm(home, { recursive: true, force: true });
});

async function demo(...settings: Parameters<typeof startDemo>): Promise<Demo> {
  const started = await startDemo(...settings);
  onTestFinished(() => started.close());
  return started;
}

/** Types what the demo says, as a newcomer would. There is no way to Docker Hub from here, but an image. */
function type({ command }: Advice): Promise<CommandResult> {
  const offline = command.replace("docker://docker.io/library/busybox", `docker-archive:${join(home, "busybox.tar")}`);
  return runCommand("sh", ["-c", offline], { environment: dockerd.environment });
}

/** Each word of the outcome that a program could have printed, rather than the guide's own. */
function promised(outcome: string): string {
  return (
    /^(?:Login Succeeded|no basic auth credentials|denied: .*|\d{3} [A-Z][A-Za-z]+|"latest")/.exec(outcome)?.[0] ?? ""
  );
}

/** Whether the guide says that it fails. curl takes every response for a success. */
function fails({ command, outcome }: Advice): boolean {
  return !command.startsWith("curl") && /^(?:denied|refused|no basic auth|401)/.test(outcome);
}

describe.each([
  ["over TLS", []],
  ["without TLS", ["--plain"]],
])("the demo %s", (_, parameters) => {
  test("says what to type with docker, skopeo and curl, and that is what happens", async () => {
    const { advice } = await demo(parameters);
    await dockerd.load("busybox:latest", [{ "bin/busybox": "all in one" }]);
    const programs = advice.map(({ command }) => command.split(" ", 1)[0]);
    expect(new Set(programs)).toEqual(new Set(["docker", "skopeo", "curl"]));
    const beforeLogin = advice.slice(
      0,
      advice.findIndex(({ command }) => command.startsWith("docker login")),
    );
    expect(beforeLogin.filter(fails).map(({ command }) => command.split(" ", 2).join(" "))).toEqual([
      "docker push",
      "docker pull",
    ]);
    for (const step of advice) {
      const { code, stdout, stderr } = await type(step);
      expect(code === 0, `${step.command}\n${stdout}${stderr}`).toBe(!fails(step));
      expect(`${stdout}${stderr}`, step.command).toContain(promised(step.outcome));
    }
  });
});

test("stands in front of the registry that is named, and asks whether it is there", async () => {
  const registry = await startDockerRegistry();
  onTestFinished(() => registry.close());
  await pushImage({ url: registry.url, headers: {} }, "already/here", "1", "content");
  const { guide, advice } = await demo(["--upstream", registry.url]);
  expect(guide).toContain(`in front of ${registry.url}`);
  const catalog = advice.find(({ command }) => command.endsWith("/v2/_catalog"));
  if (catalog === undefined) throw new Error("nothing is said of the catalog");
  expect((await type(catalog)).stdout).toContain('{"repositories":["already/here"]}');
});

test("stands in front of the embedded registry where no other is installed", async () => {
  const { guide, advice } = await demo([], { PATH: "" });
  expect(guide).toContain("in front of the embedded registry");
  await dockerd.load("busybox:latest", [{ "bin/busybox": "all in one" }]);
  for (const step of advice.filter(({ command }) => command.startsWith("docker"))) {
    const { code, stderr } = await type(step);
    expect(code === 0, `${step.command}\n${stderr}`).toBe(!fails(step));
  }
});

test("takes up what is changed in its configuration", async () => {
  const started = await demo();
  const [file = ""] = /\S+registry-gate\.yaml/.exec(started.guide) ?? [];
  const push = started.advice.find(({ command }) => command.includes("-X POST"));
  if (push === undefined) throw new Error("nothing is said of a push with curl");
  expect((await type(push)).stdout).toContain("DENIED");
  await writeFile(file, (await readFile(file, "utf8")).replace('"group:pushers"', "authenticated"));
  await started.logged(({ event }) => event === "reloaded");
  expect((await type(push)).stdout).toContain("202 Accepted");
});

test("leaves nothing behind", async () => {
  const started = await demo();
  const [file = ""] = /\S+registry-gate\.yaml/.exec(started.guide) ?? [];
  const [, registry = ""] = /url: "(.*)"/.exec(await readFile(file, "utf8")) ?? [];
  expect((await fetch(`${registry}/v2/`)).status).toBe(200);
  started.kill("SIGINT");
  await started.close();
  await expect(readFile(file)).rejects.toThrow("ENOENT");
  await expect(fetch(`${registry}/v2/`)).rejects.toThrow("fetch failed");
});

test.each([
  [
    "a registry that does not respond",
    ["--upstream", "http://127.0.0.1:9"],
    1,
    /^http:\/\/127\.0\.0\.1:9 does not respond/,
  ],
  ["a registry that is no URL", ["--upstream", "registry"], 1, /^registry is not a URL/],
  ["a port that is none", ["--port", "70000"], 1, /^listen\.address: must be/],
  ["an option that it does not know", ["--frobnicate"], 2, /^Unknown option '--frobnicate'/],
])("says in one line that it was given %s", async (_, parameters, code, message) => {
  const [program, ...before] = demoCommand;
  const result = await runCommand(program, [...before, ...parameters]);
  expect(result).toMatchObject({ code, stdout: "", stderr: expect.stringMatching(message) });
});
