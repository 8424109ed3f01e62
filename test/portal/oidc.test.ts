import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { basic } from "../support/basic.ts";
import { type BrowserJar, browserJar } from "../support/browser-jar.ts";
import { type DockerRegistry, startDockerRegistry } from "../support/docker-registry.ts";
import { freePort } from "../support/free-port.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { type Client, type OpenIdProvider, startOpenIdProvider } from "../support/open-id-provider.ts";
import { pushImage } from "../support/registry-content.ts";

const password = "dora's canary";
let provider: OpenIdProvider;
let registry: DockerRegistry;
beforeAll(async () => {
  provider = await startOpenIdProvider({
    people: { dora: { password, email: "dora@example.com", name: "Dora", groups: ["pushers"] } },
  });
  registry = await startDockerRegistry();
  await pushImage({ url: registry.url, headers: {} }, "team/app", "latest", "content");
});
afterAll(async () => {
  await registry?.close();
  await provider?.close();
});

const stateFile = "state.db";

/** Its port has to be known before it can be registered at the provider. */
async function start(
  command: "portal" | "serve",
  state: string,
  { known, issuer = provider.issuer }: { readonly known?: Client; readonly issuer?: string } = {},
): Promise<[RunningGate, Client]> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const client = known ?? (await provider.register(`${url}/sign-in/callback`));
  const gate = await startGate({
    ...{ command, files: { "oidc-secret": client.secret, secret: "s".repeat(40) } },
    configuration: {
      listen: { address: `127.0.0.1:${port}` },
      upstream: { url: registry.url },
      auth: { backends: [{ type: "access-token" }, { type: "portal-users", remember: "14d" }] },
      access: [
        { subjects: ["authenticated"], repositories: ["team/**"], actions: ["pull"] },
        { subjects: ["group:pushers"], repositories: ["team/app"], actions: ["push"] },
      ],
      state: { file: state },
      portal: {
        signIn: "oidc",
        cookie: { secure: false },
        secretsFile: "secret",
        oidc: {
          ...{ issuer, clientId: client.id, clientSecretFile: "oidc-secret" },
          ...{ scopes: ["openid", "profile", "groups"], groupsClaim: "groups" },
        },
      },
    },
  });
  onTestFinished(() => gate.close());
  return [gate, client];
}

async function signIn(gate: RunningGate, browser: BrowserJar): Promise<void> {
  const page = await browser.go(`${gate.url}/tokens`);
  const link = /href="([^"]*sign-in\/start[^"]*)"/.exec(page.text)?.[1]?.replaceAll("&amp;", "&") ?? "";
  const there = await browser.go(new URL(link, gate.url).href);
  expect(there.url.startsWith(`${provider.issuer}/interaction/`)).toBe(true);
  const form = new URLSearchParams({ username: "dora", password });
  expect(await browser.go(there.url, { method: "POST", body: form })).toMatchObject({
    ...{ status: 200, url: `${gate.url}/tokens` },
  });
}

test("registry-gate portal signs users of a provider in, whose tokens serve knows too", async () => {
  const [gate, client] = await start("portal", stateFile);
  const browser = browserJar();
  await signIn(gate, browser);
  const why = await browser.go(`${gate.url}/why?repository=team%2Fapp&action=push`);
  expect(why.text).toContain("dora may push to team/app");
  const tags = "/v2/team/app/tags/list";
  expect((await browser.step(gate.url + tags)).status).toBe(200);

  const page = await browser.step(`${gate.url}/tokens`);
  const formToken = /name="form-token" value="([^"]+)"/.exec(page.text)?.[1] ?? "";
  const made = await browser.step(`${gate.url}/tokens`, {
    method: "POST",
    headers: { origin: gate.url },
    body: new URLSearchParams({ "form-token": formToken, name: "ci", expires: "7d" }),
  });
  const token = /rga_[0-9A-Za-z]{49}/.exec(made.text)?.[0] ?? "";
  const [serving] = await start("serve", `${gate.directory}/${stateFile}`, { known: client });
  for (const { url } of [gate, serving]) {
    expect((await fetch(url + tags, { headers: basic("dora", token) })).status).toBe(200);
    const upload = `${url}/v2/team/app/blobs/uploads/`;
    expect((await fetch(upload, { method: "POST", headers: basic("dora", token) })).status).toBe(202);
    // The password of the provider is none of the gate's.
    expect((await fetch(url + tags, { headers: basic("dora", password) })).status).toBe(401);
  }
  expect(gate.output() + serving.output()).not.toContain("canary");
  expect(gate.output()).not.toContain(client.secret);
});

test("registry-gate portal says where its provider is not to be reached, and serves the registry", async () => {
  const away = await startOpenIdProvider({ people: {} });
  await away.close();
  const known = { id: "registry", secret: "a secret", redirectUri: "" };
  const [gate] = await start("portal", stateFile, { known, issuer: away.issuer });
  const page = await browserJar().go(`${gate.url}/sign-in/start`);
  expect(page.status).toBe(503);
  expect(page.text).not.toContain(known.secret);
  expect((await fetch(`${gate.url}/v2/`)).status).toBe(401);
});
