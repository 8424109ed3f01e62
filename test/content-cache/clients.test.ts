import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startDockerd } from "../support/dockerd.ts";
import { imageArchive } from "../support/image-archive.ts";
import { runCommand } from "../support/run.ts";
import { registries, type Scene, setScene } from "./scene.ts";

/** Pulls twice, and once more after somebody has pushed over the tag. */

async function newDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-clients-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** How the pulls of one client fared, one after the other. */
async function results({ gate }: Scene, from: number): Promise<unknown[]> {
  await gate.settled();
  return gate
    .lines()
    .slice(from)
    .filter(({ event, operation }) => event === "request" && /^get-(?:manifest|blob)$/.test(String(operation)))
    .map(({ cache }) => cache);
}

async function pushWithSkopeo({ gate }: Scene, directory: string, content: string): Promise<void> {
  const archive = join(directory, "image.tar");
  await writeFile(archive, imageArchive("image:1", [{ "etc/version": content }]));
  const target = `docker://${new URL(gate.url).host}/team/app:latest`;
  const options = ["--dest-tls-verify=false", "--dest-creds=alice:alice-password"];
  const pushed = await runCommand("skopeo", ["copy", ...options, `docker-archive:${archive}`, target]);
  expect(pushed.code, pushed.stderr).toBe(0);
}

test.each(registries)(
  "crane and skopeo get what was pushed, at once, before %s",
  async (registry) => {
    const scene = await setScene(registry, { ttl: "1h" });
    const directory = await newDirectory();
    const { host } = new URL(scene.gate.url);
    const reference = `${host}/team/app:latest`;
    const environment = { DOCKER_CONFIG: directory };
    const login = await runCommand("crane", ["auth", "login", "--username", "alice", "--password-stdin", host], {
      input: "alice-password",
      environment,
    });
    expect(login.code, login.stderr).toBe(0);
    const crane = async (): Promise<string> => {
      const target = join(directory, "pulled.tar");
      const { code, stderr } = await runCommand("crane", ["export", "--insecure", reference, target], { environment });
      expect(code, stderr).toBe(0);
      return readFile(target, "latin1");
    };
    const skopeo = async (): Promise<string> => {
      const target = await newDirectory();
      const options = ["--src-tls-verify=false", "--src-creds=alice:alice-password"];
      const { code, stderr } = await runCommand("skopeo", [
        "copy",
        ...options,
        `docker://${reference}`,
        `dir:${target}`,
      ]);
      expect(code, stderr).toBe(0);
      return readFile(join(target, "manifest.json"), "utf8");
    };
    const manifests: string[] = [];
    for (const content of ["first version", "second version"]) {
      await pushWithSkopeo(scene, directory, content);
      await scene.gate.settled();
      const from = scene.gate.lines().length;
      expect(await crane()).toContain(content);
      expect(await crane()).toContain(content);
      manifests.push(await skopeo());
      expect(await results(scene, from)).toContain("hit");
    }
    expect(new Set(manifests).size).toBe(2);
  },
  120_000,
);

test("docker pulls from memory, and gets what was pushed over a tag at once", async () => {
  const scene = await setScene("docker-registry 2.8", { ttl: "1h" });
  const directory = await newDirectory();
  const { host } = new URL(scene.gate.url);
  const reference = `${host}/team/app:latest`;
  const dockerd = await startDockerd();
  onTestFinished(() => dockerd.close());
  const docker = async (...parameters: string[]): Promise<string> => {
    const { code, stdout, stderr } = await dockerd.docker(parameters, "alice-password");
    expect(code, stderr).toBe(0);
    return stdout;
  };
  await docker("login", "--username", "alice", "--password-stdin", host);
  const ids: string[] = [];
  for (const content of ["first version", "second version"]) {
    await pushWithSkopeo(scene, directory, content);
    for (const time of [1, 2]) {
      await scene.gate.settled();
      const from = scene.gate.lines().length;
      await docker("pull", reference);
      const id = await docker("image", "inspect", "--format", "{{.Id}}", reference);
      if (time === 1) ids.push(id);
      else expect(await results(scene, from)).not.toContain("miss");
      expect(id).toBe(ids.at(-1));
      await docker("image", "rm", "--force", reference);
    }
  }
  expect(new Set(ids).size).toBe(2);
}, 120_000);
