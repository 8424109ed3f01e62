import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Stage, setStage } from "../docker/stage.ts";
import { idTokenOf } from "../fronts/id-token.ts";
import { people } from "../fronts/people.ts";
import { startChromium } from "../support/chromium.ts";
import { directoryBackend } from "../support/directory-backend.ts";
import type { Dockerd } from "../support/dockerd.ts";
import { imageArchive } from "../support/image-archive.ts";
import type { Nginx } from "../support/nginx.ts";
import { type Client, type OpenIdProvider, startOpenIdProvider } from "../support/open-id-provider.ts";
import { passwordFile } from "../support/password-file.ts";
import { pushImage } from "../support/registry-content.ts";
import { runCommand } from "../support/run.ts";
import { type Slapd, startSlapd } from "../support/slapd.ts";
import { curlVerdicts, dockerVerdicts, type Passwords, skopeoVerdicts } from "./clients.ts";
import { signOnBackend, startSignOnFront } from "./sign-on-front.ts";

/** Written once, for whichever backend knows the users. */
const access = [
  { subjects: ["authenticated"], repositories: ["**", "!hidden/**"], actions: ["pull"] },
  { subjects: ["authenticated"], repositories: ["${username}/**"], actions: ["push"] },
  { subjects: ["group:pushers"], repositories: ["team/**"], actions: ["push"] },
];
const htpasswd = { type: "htpasswd", file: "htpasswd", groupFile: "groups" };
const passwords: Passwords = { alice: "alicepw", carol: "carolpw" };

let stage: Stage;
let daemon: Dockerd;
let slapd: Slapd;
let provider: OpenIdProvider;
let client: Client;
let front: Nginx;
let directory: string;

beforeAll(async () => {
  const htpasswdFile = await passwordFile({ ...passwords });
  stage = await setStage({
    auth: { backends: [htpasswd] },
    access,
    files: { htpasswd: htpasswdFile, groups: "pushers: alice\n" },
  });
  daemon = await stage.newDaemon();
  slapd = await startSlapd();
  provider = await startOpenIdProvider({ people });
  // What a program on a person's own machine is to the provider (RFC 8252, section 7.3).
  client = await provider.register("http://127.0.0.1:1/callback");
  front = await startSignOnFront(stage, htpasswdFile, ["alice"]);
  directory = await mkdtemp(join(tmpdir(), "registry-gate-swap-"));
  await pushImage({ url: stage.registry.url, headers: {} }, "hidden/app", "1", "what nobody may see");
});

afterAll(async () => {
  for (const part of [front, provider, slapd, stage]) await part?.close();
  await rm(directory, { recursive: true, force: true });
});

/** Tokens of the two, from their browser. */
async function tokens(): Promise<Passwords> {
  const browser = await startChromium();
  try {
    const tokenOf = (username: "alice" | "carol") => idTokenOf(browser, provider, client, username);
    return { alice: await tokenOf("alice"), carol: await tokenOf("carol") };
  } finally {
    await browser.close();
  }
}

/** Has everybody do everything, with an image that the registry has not seen yet. */
async function walk(name: string, typed: Passwords): Promise<object> {
  const content = { "etc/backend": name };
  await daemon.load("image:1", [content]);
  const archive = join(directory, "image.tar");
  await writeFile(archive, imageArchive("image:1", [content]));
  return {
    docker: await dockerVerdicts(stage, daemon, typed),
    skopeo: await skopeoVerdicts(stage, archive, typed),
    curl: await curlVerdicts(stage, typed),
  };
}

const expected = {
  docker: {
    "alice logs in": "done",
    "carol logs in": "done",
    "alice pushes to the team": "done, arrived",
    "carol pushes to the team": "denied, did not arrive",
    "carol pulls from the team": "done",
    "carol pushes to her own": "done, arrived",
    "alice pushes to carol's": "denied, did not arrive",
    "alice pulls what is hidden": "denied",
    "alice logs in with another password": "unauthorized",
    "nobody logs in": "unauthorized",
  },
  skopeo: {
    "alice copies to the team": "done",
    "carol copies to the team": "denied",
    "carol inspects what is the team's": "done",
    "carol deletes what is the team's": "denied",
    "alice copies with another password": "unauthorized",
  },
  curl: {
    "nobody pings": "401",
    "alice pings": "{}",
    "alice pings with another password": "401",
    "carol lists what she may pull": '{"repositories":["carol/app","team/app","team/copied"]}',
    "carol begins a push to the team": "403",
    "alice begins a push to the team": "202",
  },
};

test("the backend is swapped in the running gate's file, and nothing changes for anybody", async () => {
  expect(await walk("htpasswd", passwords)).toEqual(expected);

  const use = (...backends: readonly object[]): Promise<void> => stage.reconfigure({ auth: { backends }, access });
  await use(directoryBackend(slapd));
  expect(await walk("ldap", passwords)).toEqual(expected);

  await use({
    type: "sso-jwt",
    jwks: provider.jwks,
    issuer: provider.issuer,
    audience: client.id,
    usernameClaim: "preferred_username",
    groupsClaim: "groups",
  });
  expect(await walk("sso-jwt", await tokens())).toEqual(expected);

  // The gate's name now leads to the company's nginx, which is the one that looks at passwords.
  await use(signOnBackend);
  stage.redirect(new URL(`https://127.0.0.1:${front.port}`));
  expect(await walk("sso-header", passwords)).toEqual(expected);
  // Past it nobody is anybody, whatever they say they are.
  stage.redirect(new URL(stage.gate.url));
  const claim = ["--header", "X-Forwarded-User: alice", "--header", "X-Forwarded-Groups: pushers"];
  const status = ["--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "--cacert", stage.authority];
  const { stdout } = await runCommand("curl", [...status, ...claim, `https://${stage.host}/v2/`], stage);
  expect(stdout).toBe("401");

  await use(htpasswd);
  expect(await walk("htpasswd again", passwords)).toEqual(expected);
}, 300_000);
