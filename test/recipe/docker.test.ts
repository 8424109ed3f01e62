import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Stage, setStage } from "../docker/stage.ts";
import { type DockerRegistry, startDockerRegistry } from "../support/docker-registry.ts";
import type { Dockerd } from "../support/dockerd.ts";
import { incompressible } from "../support/image-archive.ts";
import { type Nginx, startNginx } from "../support/nginx.ts";
import { nginxRecipe } from "../support/nginx-recipe.ts";
import { passwordFile } from "../support/password-file.ts";

let stage: Stage;
let registry: DockerRegistry;
let nginx: Nginx;

beforeAll(async () => {
  const htpasswd = await passwordFile({ testuser: "testpassword" });
  // Without rules, as the recipe is: who is signed in may pull and push.
  stage = await setStage({ auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] }, files: { htpasswd } });
  registry = await startDockerRegistry();
  const { tls, gate } = stage;
  const fileOfGate = (name: string): Promise<string> => readFile(join(gate.directory, name), "utf8");
  nginx = await startNginx({
    http: (port) => nginxRecipe({ port, registry: new URL(registry.url).host, passwordFile: "htpasswd", tls }),
    files: { htpasswd, [tls.certificate]: await fileOfGate(tls.certificate), [tls.key]: await fileOfGate(tls.key) },
  });
});

afterAll(async () => {
  for (const part of [nginx, registry, stage]) await part?.close();
});

/** Where a layer is on its way. Of a fast one docker does not tell each step. */
const passing = /: (?:Preparing|Waiting|Pulling fs layer|Verifying Checksum|Download complete)$/;

interface Said {
  readonly command: string;
  readonly code: number | null;
  /** Without order: docker pushes and pulls several layers at a time. */
  readonly lines: readonly string[];
}

/** What a new daemon says to all that the recipe's reader does, and to some things that go wrong. */
async function conversation(daemon: Dockerd): Promise<readonly Said[]> {
  const { host } = stage;
  const [app, copy] = [`${host}/team/app:1`, `${host}/team/copy:1`];
  await daemon.load("image:1", [{}, { "etc/version": "1\n" }, { "srv/data": incompressible(3_000_000) }]);
  const said: Said[] = [];
  for (const command of [
    `pull ${app}`,
    `login --username testuser --password wrong ${host}`,
    `login --username testuser --password testpassword ${host}`,
    `tag image:1 ${app}`,
    `push ${app}`,
    `push ${app}`,
    `tag image:1 ${copy}`,
    `push ${copy}`,
    `image rm image:1 ${app} ${copy}`,
    `pull ${app}`,
    `pull ${app}`,
    `pull --all-tags ${host}/team/copy`,
    `pull ${host}/team/app:absent`,
    `pull ${host}/team/absent:1`,
    `logout ${host}`,
    `push ${app}`,
  ]) {
    const { code, stdout, stderr } = await daemon.docker(command.split(" "));
    const lines = `${stdout}${stderr}`.replaceAll(/\/rg-dockerd-\w+/g, "/home").split("\n");
    said.push({ command, code, lines: lines.filter((line) => !passing.test(line)).sort() });
  }
  return said;
}

test("docker says the same to its user through the gate as through nginx with the recipe", async () => {
  const throughGate = await conversation(await stage.newDaemon());
  stage.redirect(new URL(`https://127.0.0.1:${nginx.port}`));
  const throughNginx = await conversation(await stage.newDaemon());
  expect(throughGate).toEqual(throughNginx);
  expect(throughGate.map(({ code }) => code)).toEqual([1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 1]);
  // Both were really asked.
  for (const { url } of [registry, stage.registry]) {
    expect(await (await fetch(`${url}/v2/_catalog`)).json()).toEqual({ repositories: ["team/app", "team/copy"] });
  }
});
