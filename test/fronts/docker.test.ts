import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Stage, setStage } from "../docker/stage.ts";
import { startChromium } from "../support/chromium.ts";
import type { Docker, Dockerd } from "../support/dockerd.ts";
import { type Client, type OpenIdProvider, startOpenIdProvider } from "../support/open-id-provider.ts";
import { passwordFile } from "../support/password-file.ts";
import { type Slapd, startSlapd } from "../support/slapd.ts";
import { directoryBackend } from "./directory-backend.ts";
import { people } from "./people.ts";
import { signIn } from "./sign-in.ts";

/** One set of rules for all: whoever knows the users. */
const access = [
  { subjects: ["authenticated"], repositories: ["**"], actions: ["pull"] },
  { subjects: ["group:pushers"], repositories: ["team/**"], actions: ["push"] },
];

let provider: OpenIdProvider;
let slapd: Slapd;
let stage: Stage;
let daemon: Dockerd;
let browser: Browser;
let client: Client;

beforeAll(async () => {
  slapd = await startSlapd();
  provider = await startOpenIdProvider({
    people,
    programs: {
      builder: { secret: "builder-secret", groups: ["pushers"] },
      scanner: { secret: "scanner-secret", groups: [] },
    },
  });
  // What a program on a person's own machine is to the provider (RFC 8252, section 7.3).
  client = await provider.register("http://127.0.0.1:1/callback");
  stage = await setStage({
    auth: backends().htpasswd,
    access,
    files: { htpasswd: await passwordFile({ alice: "alice-file", carol: "carol-file" }), groups: "pushers: alice\n" },
  });
  daemon = await stage.newDaemon();
  browser = await startChromium();
});

afterAll(async () => {
  for (const part of [browser, stage, provider, slapd]) await part?.close();
});

/** What stands in `auth`, for each kind of backend. */
function backends() {
  const issuer = { type: "sso-jwt", jwks: provider.jwks, issuer: provider.issuer, groupsClaim: "groups" };
  return {
    htpasswd: { backends: [{ type: "htpasswd", file: "htpasswd", groupFile: "groups" }] },
    ldap: { backends: [directoryBackend(slapd)] },
    sso: {
      backends: [
        { ...issuer, id: "people", audience: client.id, usernameClaim: "preferred_username" },
        { ...issuer, id: "programs", audience: "registry", usernamePrefix: "program-" },
      ],
    },
  };
}

/** Signs somebody in with Chromium, and gives what the provider says of them. */
async function idTokenOf(username: keyof typeof people): Promise<string> {
  const page = await (await browser.newContext()).newPage();
  await page.goto(provider.authorizationUrl(client));
  const back = page.waitForRequest((request) => request.url().startsWith(client.redirectUri));
  await signIn(page, username);
  const code = new URL((await back).url()).searchParams.get("code");
  return provider.idToken(client, code ?? "");
}

async function logIn(
  username: string,
  password: string,
): Promise<{ docker: Docker; code: number | null; said: string }> {
  const docker = await daemon.newUser();
  const { code, stdout, stderr } = await docker(
    ["login", "--username", username, "--password-stdin", stage.host],
    password,
  );
  return { docker, code, said: code === 0 ? stdout.trim() : stderr.trim() };
}

/** What becomes of a push and a pull. */
async function outcomes(docker: Docker, repository: string): Promise<Record<"push" | "pull", string>> {
  const image = `${stage.host}/${repository}:1`;
  await docker(["tag", "example.com/image:1", image]);
  const said = async (...command: string[]): Promise<string> => {
    const { code, stdout, stderr } = await docker(command);
    return code === 0 ? (/digest: sha256:\S+/.exec(stdout)?.[0] ?? "done") : (stderr.trim().split("\n").at(-1) ?? "");
  };
  return { push: await said("push", image), pull: await said("pull", "--quiet", image) };
}

/** All that docker has to say of one member of the group, of one other, and of who is nobody. */
async function walk(passwords: Readonly<Record<"alice" | "carol", string>>): Promise<object> {
  const alice = await logIn("alice", passwords.alice);
  const carol = await logIn("carol", passwords.carol);
  return {
    logins: [alice.said, carol.said],
    alice: await outcomes(alice.docker, "team/app"),
    aliceElsewhere: await outcomes(alice.docker, "elsewhere/app"),
    carol: await outcomes(carol.docker, "team/app"),
    wrong: (await logIn("alice", `${passwords.alice.slice(0, -2)}xx`)).said,
    unknown: (await logIn("nobody", "anything")).said,
  };
}

const denied = "denied: requested access to the resource is denied";

test("the same rules give docker the same results, whether users come from a file, a directory or a single sign-on", async () => {
  await daemon.load("example.com/image:1", [{ "etc/version": "1\n" }]);
  const { htpasswd, ldap, sso } = backends();
  const byFile = await walk({ alice: "alice-file", carol: "carol-file" });
  await stage.reconfigure({ auth: ldap, access });
  const byDirectory = await walk({ alice: "alicepw", carol: "carolpw" });
  await stage.reconfigure({ auth: sso, access });
  const bySignOn = await walk({ alice: await idTokenOf("alice"), carol: await idTokenOf("carol") });
  await stage.reconfigure({ auth: htpasswd, access });

  const unauthorized = expect.stringContaining("401 Unauthorized");
  expect(byFile).toEqual({
    logins: ["Login Succeeded", "Login Succeeded"],
    alice: { push: expect.stringMatching(/^digest: sha256:/), pull: "done" },
    aliceElsewhere: { push: denied, pull: expect.stringContaining("elsewhere/app:1 not found") },
    carol: { push: denied, pull: "done" },
    wrong: unauthorized,
    unknown: unauthorized,
  });
  expect(byDirectory).toEqual(byFile);
  expect(bySignOn).toEqual(byFile);
});

describe("a token of an OpenID Connect provider as the password of docker login", () => {
  beforeAll(async () => {
    await daemon.load("example.com/image:1", [{ "etc/version": "2\n" }]);
    await stage.reconfigure({ auth: backends().sso, access });
  });

  test("lets a program in the group push and pull, as a program", async () => {
    const { docker, code } = await logIn("oauth2", await provider.programToken("builder"));
    expect(code).toBe(0);
    const { push, pull } = await outcomes(docker, "team/built");
    expect(push).toMatch(/^digest: sha256:/);
    expect(pull).toBe("done");
    const record = await stage.gate.logged(
      ({ repository, operation }) => repository === "team/built" && operation === "put-manifest",
    );
    expect(record).toMatchObject({ username: "program-builder", backend: "programs", decision: "allowed" });
  });

  test("lets another program pull, and not push", async () => {
    const { docker } = await logIn("oauth2", await provider.programToken("scanner"));
    expect(await outcomes(docker, "team/built")).toEqual({ push: denied, pull: "done" });
  });

  test("counts beside the user's own name, and beside no other's", async () => {
    const token = await idTokenOf("zoë");
    expect((await logIn("zoë", token)).code).toBe(0);
    expect((await logIn("oauth2", token)).code).toBe(0);
    expect((await logIn("alice", token)).said).toContain("401 Unauthorized");
  });

  test("is in no log, be it accepted or refused", async () => {
    const token = await provider.programToken("builder");
    await logIn("oauth2", token);
    await logIn("alice", token);
    expect(stage.gate.output()).not.toContain(token);
    expect(stage.gate.output()).not.toContain(token.split(".")[2]);
  });
});
