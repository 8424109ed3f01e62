import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { imageArchive, incompressible } from "../support/image-archive.ts";
import { passwordFile } from "../support/password-file.ts";
import { newSkopeoUser } from "../support/skopeo.ts";
import { loggedIn } from "./docker-user.ts";
import { type Stage, setStage } from "./stage.ts";

let stage: Stage;

beforeAll(async () => {
  stage = await setStage({
    auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
    files: { htpasswd: await passwordFile({ testuser: "testpassword" }) },
  });
});

afterAll(() => stage.close());

/** Makes the registry read-only, or ends that. */
async function toggle(): Promise<void> {
  const count = (): number => stage.gate.lines().filter(({ event }) => event === "read-only").length;
  const before = count();
  stage.gate.kill("SIGUSR2");
  await expect.poll(count).toBeGreaterThan(before);
}

test("docker pulls all the while, and its push waits for the end where that comes within its retries", async () => {
  const daemon = await stage.newDaemon();
  const docker = await loggedIn(daemon, stage.host, "testuser", "testpassword");
  const image = `${stage.host}/team/app:1`;
  const next = `${stage.host}/team/app:2`;
  await daemon.load(image, [{}, { "etc/version": "1\n" }]);
  await daemon.load(next, [{}, { "etc/version": "2\n" }, { "srv/data": incompressible(1_000_000) }]);
  expect(await docker(["push", image])).toMatchObject({ code: 0 });
  await toggle();
  const push = docker(["push", next]);
  await stage.gate.logged(({ reason, status }) => reason === "read-only for maintenance" && status === 503);
  expect(await docker(["image", "rm", image])).toMatchObject({ code: 0 });
  expect(await docker(["pull", image])).toMatchObject({ code: 0 });
  const again = await docker(["login", "--username", "testuser", "--password-stdin", stage.host], "testpassword");
  expect(again.stdout).toContain("Login Succeeded");
  await toggle();
  expect(await push).toMatchObject({ code: 0 });
});

test("skopeo prints the status of a copy that is refused, and inspects all the while", async () => {
  const directory = await mkdtemp(join(tmpdir(), "registry-gate-image-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, "image.tar");
  await writeFile(file, imageArchive("image:1", [{}, { "etc/version": "3\n" }]));
  const { skopeo, close } = await newSkopeoUser(stage.authority);
  onTestFinished(close);
  const host = new URL(stage.gate.url).host.replace("127.0.0.1", "localhost");
  const remote = `docker://${host}/team/skopeo:1`;
  await skopeo(["login", "--username", "testuser", "--password-stdin", host], "testpassword");
  expect(await skopeo(["copy", "--quiet", `docker-archive:${file}`, remote])).toMatchObject({ code: 0 });
  await toggle();
  const refused = await skopeo(["copy", "--quiet", `docker-archive:${file}`, `${remote}-more`]);
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toContain("503 Service Unavailable");
  expect(await skopeo(["inspect", remote])).toMatchObject({ code: 0 });
  await toggle();
  expect(await skopeo(["copy", "--quiet", `docker-archive:${file}`, `${remote}-more`])).toMatchObject({ code: 0 });
});
