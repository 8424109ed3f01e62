import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { imageArchive, incompressible } from "../support/image-archive.ts";
import { passwordFile } from "../support/password-file.ts";
import { newSkopeoUser, type SkopeoUser } from "../support/skopeo.ts";
import { type Stage, setStage } from "./stage.ts";

const denied = "denied: requested access to the resource is denied";
const unauthorized = "authentication required";

let stage: Stage;
let directory: string;
let archive: string;
/** `localhost:port`: skopeo looks at certificates there, too. */
let host: string;

beforeAll(async () => {
  stage = await setStage({
    auth: { backends: [{ type: "htpasswd", file: "htpasswd", groupFile: "groups" }] },
    access: [
      { subjects: ["authenticated"], repositories: ["team/**"], actions: ["pull"] },
      { subjects: ["group:pushers"], repositories: ["**"], actions: ["pull", "push", "delete"] },
      { subjects: ["anonymous"], repositories: ["public/**"], actions: ["pull"] },
    ],
    files: {
      htpasswd: await passwordFile({ testuser: "testpassword", reader: "readerpassword" }),
      groups: "pushers: testuser\n",
    },
  });
  host = new URL(stage.gate.url).host.replace("127.0.0.1", "localhost");
  directory = await mkdtemp(join(tmpdir(), "registry-gate-image-"));
  const file = join(directory, "image.tar");
  await writeFile(
    file,
    imageArchive("image:1", [{}, { "etc/version": "1\n" }, { "srv/data": incompressible(1_000_000) }]),
  );
  archive = `docker-archive:${file}`;
});

afterAll(async () => {
  await stage.close();
  await rm(directory, { recursive: true, force: true });
});

async function newUser(): Promise<SkopeoUser> {
  const user = await newSkopeoUser(stage.authority);
  onTestFinished(() => user.close());
  return user;
}

/** A user who may not do it sees `message`. */
async function refused(command: ReturnType<SkopeoUser["skopeo"]>, message: string): Promise<void> {
  const { code, stderr } = await command;
  expect(code).not.toBe(0);
  expect(stderr).toContain(message);
}

async function succeeds(command: ReturnType<SkopeoUser["skopeo"]>): Promise<string> {
  const { code, stdout, stderr } = await command;
  expect(stderr).toBe("");
  expect(code).toBe(0);
  return stdout;
}

test("skopeo logs in once, and then copies, inspects, lists and deletes", async () => {
  const { skopeo, directory: home } = await newUser();
  const login = skopeo(["login", "--username", "testuser", "--password-stdin", host], "testpassword");
  expect(await succeeds(login)).toContain("Login Succeeded!");

  const remote = `docker://${host}/team/copied:1`;
  await succeeds(skopeo(["copy", "--quiet", archive, remote]));
  const { Digest, RepoTags, Layers }: Record<string, unknown> = JSON.parse(await succeeds(skopeo(["inspect", remote])));
  expect(RepoTags).toEqual(["1"]);
  expect(Layers).toHaveLength(3);
  const listed: unknown = JSON.parse(await succeeds(skopeo(["list-tags", `docker://${host}/team/copied`])));
  expect(listed).toEqual({ Repository: `${host}/team/copied`, Tags: ["1"] });

  // Within the gate by mounting, and out of it again.
  const second = `docker://${host}/team/second:1`;
  await succeeds(skopeo(["copy", "--quiet", "--preserve-digests", remote, second]));
  const out = join(home, "out");
  await succeeds(skopeo(["copy", "--quiet", "--preserve-digests", second, `dir:${out}`]));
  const manifest = await readFile(join(out, "manifest.json"));
  expect(JSON.parse(manifest.toString())).toMatchObject({ layers: [{}, {}, {}] });
  expect((await readdir(out)).length).toBe(3 + 1 + 2);
  expect(await succeeds(skopeo(["manifest-digest", join(out, "manifest.json")]))).toBe(`${Digest}\n`);

  await succeeds(skopeo(["delete", second]));
  await refused(skopeo(["inspect", second]), "manifest unknown");
  await succeeds(skopeo(["inspect", remote]));
});

test("skopeo shows that a password is wrong, at login and at a copy", async () => {
  const { skopeo } = await newUser();
  await refused(
    skopeo(["login", "--username", "testuser", "--password-stdin", host], "wrong"),
    "invalid username/password",
  );
  const remote = `docker://${host}/team/wrong:1`;
  await refused(skopeo(["copy", "--dest-creds", "testuser:wrong", archive, remote]), "invalid username/password");
  await refused(skopeo(["copy", archive, remote]), unauthorized);
  await refused(skopeo(["inspect", remote]), unauthorized);
});

test("skopeo without a login pulls what anonymous may, is refused the rest, and is not counted as a failed login", async () => {
  const { skopeo, directory: home } = await newUser();
  const remote = `docker://${host}/public/app:1`;
  await succeeds(skopeo(["copy", "--quiet", "--dest-creds", "testuser:testpassword", archive, remote]));
  // Each command begins with GET /v2/, and goes on with an empty Basic login after the challenge.
  for (let count = 0; count < 12; count++) await succeeds(skopeo(["list-tags", `docker://${host}/public/app`]));
  await succeeds(skopeo(["copy", "--quiet", remote, `dir:${join(home, "out")}`]));
  for (let count = 0; count < 12; count++) {
    await refused(skopeo(["list-tags", `docker://${host}/team/copied`]), unauthorized);
  }
  await refused(skopeo(["copy", archive, remote]), unauthorized);
  await stage.gate.logged(
    ({ event, repository, decision, username }) =>
      event === "request" && repository === "public/app" && decision === "allowed" && username === undefined,
  );
  await stage.gate.settled();
  expect(stage.gate.output()).not.toMatch(/"decision":"throttled"|malformed/);
});

test("skopeo as the reader pulls, and is denied a push and a deletion", async () => {
  const { skopeo, directory: home } = await newUser();
  const remote = `docker://${host}/team/read:1`;
  await succeeds(skopeo(["copy", "--quiet", "--dest-creds", "testuser:testpassword", archive, remote]));
  await succeeds(skopeo(["login", "--username", "reader", "--password-stdin", host], "readerpassword"));
  await succeeds(skopeo(["copy", "--quiet", remote, `dir:${join(home, "out")}`]));
  await refused(skopeo(["copy", archive, `docker://${host}/team/written:1`]), denied);
  await refused(skopeo(["copy", archive, remote]), denied);
  // Of a deletion skopeo shows the whole response.
  await refused(skopeo(["delete", remote]), "requested access to the resource is denied");
  await succeeds(skopeo(["inspect", remote]));
});

test("skopeo does not speak to a gate whose certificate it does not trust", async () => {
  const { skopeo, close } = await newSkopeoUser("/dev/null");
  onTestFinished(close);
  const inspect = skopeo(["inspect", "--creds", "reader:readerpassword", `docker://${host}/team/read:1`]);
  await refused(inspect, "certificate signed by unknown authority");
});
