import { createServer, type Server } from "node:http";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { basic } from "../support/basic.ts";
import { startChromium } from "../support/chromium.ts";
import { type DockerRegistry, startDockerRegistry } from "../support/docker-registry.ts";
import { type RunningGate, startGate } from "../support/gate.ts";
import { listen } from "../support/listen.ts";
import { passwordFile } from "../support/password-file.ts";
import { manifestType, type PushedImage, pushImage } from "../support/registry-content.ts";

/** A registry's UI that is served from another origin, in a real browser. */

let chromium: Browser;
let registry: DockerRegistry;
let gate: RunningGate;
let image: PushedImage;
/** Origins of empty pages: the first is in `listen.cors`. */
let ui: string;
let stranger: string;
const servers: Server[] = [];

const alice = basic("alice", "alice-password");

beforeAll(async () => {
  [chromium, registry] = await Promise.all([startChromium(), startDockerRegistry()]);
  [ui, stranger] = [await servePages(), await servePages()];
  gate = await startGate({
    configuration: {
      listen: { address: "127.0.0.1:0", cors: { origins: [ui] } },
      upstream: { url: registry.url },
      auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
      access: [{ subjects: ["user:alice"], repositories: ["**"], actions: ["*"] }],
    },
    files: { htpasswd: await passwordFile({ alice: "alice-password" }) },
  });
  image = await pushImage({ url: gate.url, headers: alice }, "team/app", "v1", "a layer");
});

afterAll(async () => {
  await chromium?.close();
  await gate?.close();
  await registry?.close();
  for (const server of servers) server.close();
});

async function servePages(): Promise<string> {
  const server = createServer((_, response) => {
    response.setHeader("Content-Type", "text/html");
    response.end("<!doctype html><title>UI</title>");
  });
  servers.push(server);
  return `http://127.0.0.1:${await listen(server)}`;
}

async function pageOf(origin: string): Promise<Page> {
  const context = await chromium.newContext();
  onTestFinished(() => context.close());
  const page = await context.newPage();
  await page.goto(origin);
  return page;
}

interface Read {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What a script of the page can read of a response; `blocked` where the browser keeps it away. */
function fetchIn(page: Page, path: string, init: Record<string, unknown> = {}): Promise<Read | "blocked"> {
  const asked = { url: gate.url + path, init };
  return page.evaluate(async ({ url, init }) => {
    try {
      const response = await fetch(url, init);
      return {
        status: response.status,
        headers: Object.fromEntries(response.headers.entries()),
        body: await response.text(),
      };
    } catch {
      return "blocked";
    }
  }, asked);
}

test("a page of an allowed origin lists the catalog with a login, and reads what a UI needs", async () => {
  const page = await pageOf(ui);
  const catalog = await fetchIn(page, "/v2/_catalog?n=1", { headers: alice });
  expect(catalog).toMatchObject({ status: 200, body: '{"repositories":["team/app"]}\n' });

  const manifest = await fetchIn(page, "/v2/team/app/manifests/v1", { headers: { ...alice, accept: manifestType } });
  expect(manifest).toMatchObject({
    status: 200,
    headers: {
      "docker-content-digest": image.manifest,
      "content-length": expect.any(String),
      "docker-distribution-api-version": "registry/2.0",
      etag: expect.any(String),
    },
  });
  // The browser revalidates by itself where the page does not: then it shows 200 as well.
  const etag = manifest === "blocked" ? "" : (manifest.headers.etag ?? "");
  const conditional = { ...alice, accept: manifestType, "if-none-match": etag, "cache-control": "no-cache" };
  expect(await fetchIn(page, "/v2/team/app/manifests/v1", { headers: conditional })).toMatchObject({ status: 304 });
});

test("a page of an allowed origin can read that a login is missing, wrong or too weak", async () => {
  const page = await pageOf(ui);
  expect(await fetchIn(page, "/v2/_catalog")).toMatchObject({
    status: 401,
    headers: { "www-authenticate": 'Basic realm="Registry realm"' },
    body: expect.stringContaining("UNAUTHORIZED"),
  });
  expect(await fetchIn(page, "/v2/_catalog", { headers: basic("alice", "wrong") })).toMatchObject({ status: 401 });
  expect(await fetchIn(page, "/v2/team/app/manifests/v9", { headers: alice })).toMatchObject({ status: 404 });
});

test("a page of an allowed origin deletes an image with a login", async () => {
  const { manifest } = await pushImage({ url: gate.url, headers: alice }, "team/old", "v1", "an old layer");
  const page = await pageOf(ui);
  const path = `/v2/team/old/manifests/${manifest}`;
  expect(await fetchIn(page, path, { method: "DELETE", headers: alice })).toMatchObject({ status: 202 });
  expect((await fetch(gate.url + path, { headers: alice })).status).toBe(404);
});

test("a page of any other origin reads nothing and changes nothing, with the right login too", async () => {
  const page = await pageOf(stranger);
  const path = `/v2/team/app/manifests/${image.manifest}`;
  expect(await fetchIn(page, "/v2/_catalog")).toBe("blocked");
  expect(await fetchIn(page, "/v2/_catalog", { headers: alice })).toBe("blocked");
  expect(await fetchIn(page, path, { method: "DELETE", headers: alice })).toBe("blocked");
  // Without a preflight, as a form would.
  await fetchIn(page, "/v2/team/app/blobs/uploads/", { method: "POST", mode: "no-cors", body: "" });
  expect((await fetch(gate.url + path, { headers: { ...alice, accept: manifestType } })).status).toBe(200);
});
