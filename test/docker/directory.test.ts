import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Docker, Dockerd } from "../support/dockerd.ts";
import { type Samba, startSamba } from "../support/samba.ts";
import { type Slapd, startSlapd } from "../support/slapd.ts";
import { imageId, loggedIn, logIn } from "./docker-user.ts";
import { type Stage, setStage } from "./stage.ts";
import { verdictOf } from "./verdict.ts";

/** In both directories alice and bob are in developers, developers in engineering, engineering in pushers. */
const access = [
  { subjects: ["authenticated"], repositories: ["**"], actions: ["pull"] },
  { subjects: ["group:pushers"], repositories: ["team/**"], actions: ["push"] },
  { subjects: ["authenticated"], repositories: ["${username}/**"], actions: ["push"] },
];

let stage: Stage;
let daemon: Dockerd;

/** Sets the stage with one directory behind the gate. Logins are checked anew each time. */
async function setDirectoryStage(backend: object): Promise<void> {
  stage = await setStage({ auth: { cache: false, backends: [{ type: "ldap", ...backend }] }, access });
  daemon = await stage.newDaemon();
  await daemon.load("image:1", [{ "etc/version": "1\n" }]);
}

function user(username: string, password: string): Promise<Docker> {
  return loggedIn(daemon, stage.host, username, password);
}

async function login(username: string, password: string): Promise<string> {
  return verdictOf(await logIn(await daemon.newUser(), stage.host, username, password));
}

async function push(docker: Docker, repository: string): Promise<string> {
  const image = `${stage.host}/${repository}:1`;
  await docker(["tag", "image:1", image]);
  return verdictOf(await docker(["push", image]));
}

async function pull(docker: Docker, repository: string): Promise<string> {
  return verdictOf(await docker(["pull", `${stage.host}/${repository}:1`]));
}

describe("docker with the users of OpenLDAP, over LDAPS", () => {
  let slapd: Slapd;
  beforeAll(async () => {
    slapd = await startSlapd();
    await setDirectoryStage({
      urls: [slapd.tlsUrl],
      caCert: slapd.authority,
      bindDN: "cn=gate,dc=example,dc=org",
      bindPassword: "gatepw",
      searchBase: "ou=people,dc=example,dc=org",
      groups: { searchBase: "ou=groups,dc=example,dc=org", searchFilter: "(member={{dn}})", nested: true },
    });
  });
  afterAll(async () => {
    await stage?.close();
    await slapd?.close();
  });

  test("a member of a group in a group in the group of pushers pushes, and others pull it", async () => {
    const alice = await user("alice", "alicepw");
    expect(await push(alice, "team/app")).toBe("done");
    const elsewhere = await stage.newDaemon();
    const carol = await loggedIn(elsewhere, stage.host, "carol", "carolpw");
    expect(await pull(carol, "team/app")).toBe("done");
    expect(await imageId(carol, `${stage.host}/team/app:1`)).toBe(await imageId(alice, "image:1"));
  });

  test("who is no member is denied a push, and pushes below a name of her own", async () => {
    const carol = await user("carol", "carolpw");
    expect(await push(carol, "team/carol")).toBe("denied");
    expect(await push(carol, "alice/carol")).toBe("denied");
    expect(await push(carol, "carol/app")).toBe("done");
  });

  test("a name typed in another case is the directory's own from then on", async () => {
    const alice = await user("ALICE", "alicepw");
    expect(await push(alice, "alice/app")).toBe("done");
    const record = await stage.gate.logged(({ repository }) => repository === "alice/app");
    expect(record).toMatchObject({ username: "alice" });
  });

  test.each([
    ["a wrong password", "bob", "wrong"],
    ["nobody's name", "nobody", "alicepw"],
    ["an account without a password", "nopassword", "anything"],
    ["an account that is switched off", "disabled", "disabledpw"],
    ["a password that must be changed", "mustchange", "mustchangepw"],
    ["a filter in place of a name", "*", "alicepw"],
  ])("%s does not log in", async (_, username, password) => {
    expect(await login(username, password)).toBe("unauthorized");
  });

  test("a member who is taken out of the group may push no longer", async () => {
    const alice = await user("alice", "alicepw");
    // A group of this kind always has a member.
    const change = (...changes: readonly string[]): Promise<void> =>
      slapd.modify(`dn: cn=engineering,ou=groups,dc=example,dc=org\nchangetype: modify\n${changes.join("\n-\n")}\n`);
    const developers = "member: cn=developers,ou=groups,dc=example,dc=org";
    const others = "member: cn=unique,ou=groups,dc=example,dc=org";
    await change(`add: member\n${others}`, `delete: member\n${developers}`);
    expect(await push(alice, "team/app")).toBe("denied");
    await change(`add: member\n${developers}`, `delete: member\n${others}`);
    expect(await push(alice, "team/app")).toBe("done");
  });

  test("a directory that is down is no reason to forget a password, and logins go on when it is up again", async () => {
    await slapd.stop();
    const { code, stderr } = await logIn(await daemon.newUser(), stage.host, "alice", "alicepw");
    expect(code).not.toBe(0);
    expect(stderr).toContain("503 Service Unavailable");
    await slapd.start();
    expect(await login("alice", "alicepw")).toBe("done");
  });
});

describe("docker with the users of a Samba domain, over LDAPS", () => {
  const password = "Passw0rd!";
  let samba: Samba;
  beforeAll(async () => {
    samba = await startSamba();
    await setDirectoryStage({
      activeDirectory: true,
      urls: [samba.tlsUrl],
      caCert: samba.authority,
      bindDN: "gate@corp.example.org",
      bindPassword: password,
      searchBase: "dc=corp,dc=example,dc=org",
    });
  });
  afterAll(async () => {
    await stage?.close();
    await samba?.close();
  });

  test.each([
    ["account name", "alice", "alice"],
    ["user principal name", "jsmith@corp.example.org", "jsmith"],
    ["domain and account name", "CORP\\bob", "bob"],
  ])("a member of a group in a group in the group of pushers pushes, by %s", async (_, typed, username) => {
    const docker = await user(typed, password);
    expect(await push(docker, "team/app")).toBe("done");
    expect(await push(docker, `${username}/app`)).toBe("done");
    expect(await pull(docker, "team/app")).toBe("done");
  });

  test("who is no member is denied a push, and pulls", async () => {
    expect(await push(await user("alice", password), "team/app")).toBe("done");
    const carol = await user("carol", password);
    expect(await push(carol, "team/carol")).toBe("denied");
    expect(await pull(carol, "team/app")).toBe("done");
  });

  test.each([
    ["a wrong password", "bob", "wrong"],
    ["nobody's name", "nobody", password],
    ["another domain", "OTHER\\alice", password],
    ["an account that is switched off", "disabled", password],
    ["an account that has expired", "accountexpired", password],
    ["a password that has expired", "expired", password],
  ])("%s does not log in", async (_, username, typed) => {
    expect(await login(username, typed)).toBe("unauthorized");
  });
});
