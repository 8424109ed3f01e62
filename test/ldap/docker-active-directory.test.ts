import { afterAll, beforeAll, expect, test } from "vitest";
import { type Stage, setStage } from "../docker/stage.ts";
import type { Docker, Dockerd } from "../support/dockerd.ts";
import { type Samba, startSamba } from "../support/samba.ts";

const denied = "denied: requested access to the resource is denied";

let samba: Samba;
let stage: Stage;
let daemon: Dockerd;

beforeAll(async () => {
  samba = await startSamba();
  stage = await setStage({
    auth: {
      backends: [
        {
          type: "ldap",
          activeDirectory: true,
          urls: [samba.tlsUrl],
          caCert: samba.authority,
          bindDN: "gate@corp.example.org",
          bindPassword: "Passw0rd!",
          searchBase: "dc=corp,dc=example,dc=org",
        },
      ],
    },
    access: [
      { subjects: ["authenticated"], repositories: ["**"], actions: ["pull"] },
      { subjects: ["group:pushers"], repositories: ["team/**"], actions: ["push"] },
    ],
  });
  daemon = await stage.newDaemon();
  await daemon.load(`${stage.host}/team/app:1`, [{ "etc/version": "1\n" }]);
});

afterAll(async () => {
  await stage?.close();
  await samba?.close();
});

async function logIn(username: string, password = "Passw0rd!"): Promise<{ docker: Docker; said: string }> {
  const docker = await daemon.newUser();
  const command = ["login", "--username", username, "--password-stdin", stage.host];
  const { code, stdout, stderr } = await docker(command, password);
  return { docker, said: code === 0 ? stdout.trim() : stderr.trim() };
}

const image = (): string => `${stage.host}/team/app:1`;

test.each(["alice", "CORP\\bob", "jsmith@corp.example.org"])(
  "docker logs in as %s, who is in a group in a group of those who push, and pushes and pulls",
  async (username) => {
    const { docker, said } = await logIn(username);
    expect(said).toContain("Login Succeeded");
    expect(await docker(["push", image()])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/digest: sha256:/),
    });
    expect(await docker(["pull", image()])).toMatchObject({ code: 0 });
  },
);

test("docker logs in as somebody who is not, and pulls and may not push", async () => {
  const { docker, said } = await logIn("carol");
  expect(said).toContain("Login Succeeded");
  expect(await docker(["pull", image()])).toMatchObject({ code: 0 });
  expect(await docker(["push", image()])).toMatchObject({ code: 1, stderr: expect.stringContaining(denied) });
});

test.each([
  ["alice", "a wrong password"],
  ["disabled", "Passw0rd!"],
  ["expired", "Passw0rd!"],
  ["nobody", "Passw0rd!"],
])("docker does not log in as %s with %s", async (username, password) => {
  expect((await logIn(username, password)).said).toContain("401 Unauthorized");
});
