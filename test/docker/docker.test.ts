import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Docker, Dockerd } from "../support/dockerd.ts";
import { incompressible } from "../support/image-archive.ts";
import { passwordFile } from "../support/password-file.ts";
import { imageId, loggedIn, logIn } from "./docker-user.ts";
import { type Stage, setStage } from "./stage.ts";

const denied = "denied: requested access to the resource is denied";
const mebibyte = 1024 * 1024;

const auth = { backends: [{ type: "htpasswd", file: "htpasswd", groupFile: "groups" }] };
const access = [
  { subjects: ["authenticated"], repositories: ["team/**", "copy/**"], actions: ["pull"] },
  { subjects: ["group:pushers"], repositories: ["**"], actions: ["pull", "push"] },
];

let stage: Stage;
let daemon: Dockerd;
let pusher: Docker;
let image: string;

beforeAll(async () => {
  stage = await setStage({
    auth,
    access,
    files: {
      htpasswd: await passwordFile({ testuser: "testpassword", reader: "readerpassword" }),
      groups: "pushers: testuser\n",
    },
  });
  daemon = await stage.newDaemon();
  pusher = await loggedIn(daemon, stage.host, "testuser", "testpassword");
  image = `${stage.host}/team/app:1`;
  await daemon.load(image, [{}, { "etc/version": "1\n" }, { "srv/data": incompressible(64 * mebibyte) }]);
});

afterAll(() => stage.close());

describe("docker login", () => {
  test("succeeds with the right password", async () => {
    const login = await logIn(await daemon.newUser(), stage.host, "reader", "readerpassword");
    expect(login).toMatchObject({ code: 0, stdout: expect.stringContaining("Login Succeeded") });
  });

  test.each([
    ["a wrong password", "reader", "wrong"],
    ["a user who does not exist", "nobody", "readerpassword"],
  ])("fails with %s, and says the same", async (_, username, password) => {
    const docker = await daemon.newUser();
    const login = await logIn(docker, stage.host, username, password);
    expect(login.code).not.toBe(0);
    expect(login.stderr).toContain("401 Unauthorized");
    // Nothing is remembered that would let a later command through.
    const pull = await docker(["pull", `${stage.host}/team/other:1`]);
    expect(pull.stderr).toContain("no basic auth credentials");
  });

  test("is missing: docker falls back to plain HTTP on the loopback interface, and shows the gate's message", async () => {
    const docker = await daemon.newUser();
    const { host } = new URL(stage.gate.url);
    const { code, stderr } = await docker(["pull", `${host}/team/app:1`]);
    expect(code).not.toBe(0);
    expect(stderr).toContain("this port speaks HTTPS, and the request came as plain HTTP");
    expect(stderr).toContain("a login is missing");
    expect(await stage.gate.logged(({ event }) => event === "plain HTTP")).toMatchObject({ client: "127.0.0.1" });
  });

  test("checks the gate's certificate", async () => {
    const stranger = await stage.newDaemon("system");
    const login = await logIn(stranger.docker, stage.host, "testuser", "testpassword");
    expect(login.code).not.toBe(0);
    expect(login.stderr).toContain("certificate signed by unknown authority");
  });
});

describe("an image of an empty, a small and a large layer", () => {
  test("is pushed by a pusher, and pulled by a reader as it was", async () => {
    expect(await pusher(["push", image])).toMatchObject({ code: 0 });

    const elsewhere = await stage.newDaemon();
    const reader = await loggedIn(elsewhere, stage.host, "reader", "readerpassword");
    expect(await reader(["pull", image])).toMatchObject({ code: 0 });
    expect(await imageId(reader, image)).toBe(await imageId(pusher, image));

    const byDigest = await reader(["image", "inspect", "--format", "{{index .RepoDigests 0}}", image]);
    expect(await reader(["pull", byDigest.stdout.trim()])).toMatchObject({ code: 0 });
  });

  test("is not pushed by a reader, and nothing of it reaches the registry", async () => {
    const reader = await loggedIn(daemon, stage.host, "reader", "readerpassword");
    const target = `${stage.host}/team/forbidden:1`;
    await reader(["tag", image, target]);
    const push = await reader(["push", target]);
    expect(push.code).not.toBe(0);
    expect(push.stderr).toContain(denied);
    const catalog = await fetch(`${stage.registry.url}/v2/_catalog`);
    expect(await catalog.text()).not.toContain("team/forbidden");
  });

  test("is neither pushed nor pulled after docker logout", async () => {
    const docker = await loggedIn(daemon, stage.host, "testuser", "testpassword");
    await docker(["logout", stage.host]);
    for (const command of ["push", "pull"]) {
      const result = await docker([command, image]);
      expect(result.code).not.toBe(0);
      expect(result.stderr).toContain("no basic auth credentials");
    }
  });

  test("is pushed to a second repository by mounting its layers", async () => {
    const target = `${stage.host}/copy/app:1`;
    expect(await pusher(["push", image])).toMatchObject({ code: 0 });
    await pusher(["tag", image, target]);
    const push = await pusher(["push", target]);
    expect(push.code).toBe(0);
    // The large one, and the small one. Docker sends the empty one anyway.
    expect(push.stdout.match(/Mounted from team\/app/g)?.length).toBeGreaterThanOrEqual(2);

    const elsewhere = await stage.newDaemon();
    const reader = await loggedIn(elsewhere, stage.host, "reader", "readerpassword");
    expect(await reader(["pull", target])).toMatchObject({ code: 0 });
    expect(await imageId(reader, target)).toBe(await imageId(pusher, image));
  });

  test("is uploaded, and not mounted, by who may no longer pull the first repository", async () => {
    const target = `${stage.host}/inbox/app:1`;
    await stage.reconfigure({
      auth,
      access: [{ subjects: ["user:testuser"], repositories: ["inbox/**"], actions: ["pull", "push"] }],
    });
    try {
      await pusher(["tag", image, target]);
      const push = await pusher(["push", target]);
      expect(push.code).toBe(0);
      expect(push.stdout).not.toContain("Mounted from");
      expect((await pusher(["pull", image])).stderr).toContain(denied);
    } finally {
      await stage.reconfigure({ auth, access });
    }
  });
});

test("docker pull --all-tags asks for the tags and pulls each", async () => {
  const tags = ["one", "two"].map((tag) => `${stage.host}/team/tagged:${tag}`);
  for (const [index, tag] of tags.entries()) {
    await daemon.load(tag, [{ "etc/version": `${index}\n` }]);
    expect(await pusher(["push", tag])).toMatchObject({ code: 0 });
  }
  const elsewhere = await stage.newDaemon();
  const reader = await loggedIn(elsewhere, stage.host, "reader", "readerpassword");
  expect(await reader(["pull", "--all-tags", `${stage.host}/team/tagged`])).toMatchObject({ code: 0 });
  for (const tag of tags) expect(await imageId(reader, tag)).toBe(await imageId(pusher, tag));
});

test("a pull of what does not exist and of what is forbidden look alike to a reader", async () => {
  const reader = await loggedIn(daemon, stage.host, "reader", "readerpassword");
  const hidden = `${stage.host}/hidden/app:1`;
  await pusher(["tag", image, hidden]);
  expect(await pusher(["push", hidden])).toMatchObject({ code: 0 });
  const [forbidden, absent] = await Promise.all(
    ["hidden/app", "hidden/absent"].map((name) => reader(["pull", `${stage.host}/${name}:1`])),
  );
  expect(forbidden?.stderr).toContain(denied);
  expect(forbidden?.stderr).toBe(absent?.stderr.replace("absent", "app"));
});
