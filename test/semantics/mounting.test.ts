import { once } from "node:events";
import { createServer } from "node:http";
import type { AuthBackend } from "@registry-gate/auth";
import { type RegistryProxy, registryProxy } from "@registry-gate/core";
import express from "express";
import { afterEach, describe, expect, test } from "vitest";
import { listen } from "../support/listen.ts";
import { exchangeRaw } from "../support/raw-client.ts";
import { startUpstream } from "../support/upstream.ts";

const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const everybody: AuthBackend = {
  id: "everybody",
  authenticate: async () => ({
    status: "authenticated",
    identity: { subject: "somebody", username: "somebody", groups: [], backend: "everybody" },
  }),
};

/** An app with a registry behind it, and a page of its own for everything else. */
async function startApp(mount: (proxy: RegistryProxy) => express.Express) {
  const seen: string[] = [];
  const upstream = await startUpstream((request, response) => {
    seen.push(request.url ?? "");
    response.end("{}");
  });
  const proxy = registryProxy({ upstream: { url: upstream.url }, backends: [everybody] });
  const app = mount(proxy).use((request, response) => void response.status(299).send(request.originalUrl));
  const server = createServer(app);
  const url = `http://127.0.0.1:${await listen(server)}`;
  closing.push(async () => {
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
    await proxy.close();
    await upstream.close();
  });
  const get = async (target: string) => {
    const [response] = await exchangeRaw(url, `GET ${target} HTTP/1.1\r\nHost: app.example.com\r\n\r\n`);
    if (response === undefined) throw new Error(`no response to ${target}`);
    return response;
  };
  return { get, seen };
}

/** Each way that the documentation allows. */
const mountings: readonly [how: string, mount: (proxy: RegistryProxy) => express.Express][] = [
  ["app.use(registry)", (proxy) => express().use(proxy)],
  ['app.use("/v2", registry)', (proxy) => express().use("/v2", proxy)],
  ["a router", (proxy) => express().use(express.Router().use(proxy))],
  ["a router below /v2", (proxy) => express().use("/v2", express.Router().use(proxy))],
];

test.each(mountings)(
  "mounted by %s it serves the registry with the original target, and passes other requests on",
  async (_, mount) => {
    const { get, seen } = await startApp(mount);
    const asked = ["/v2/", "/v2/team/app/tags/list?n=1", "/v2/v2/manifests/latest"];
    for (const target of asked) expect((await get(target)).status, target).toBe(200);
    expect(seen).toEqual(asked);
    for (const target of ["/v2/Team/tags/list", "/v2/..%2f", "/v2//", "/v2/x/y"]) {
      expect([400, 404], target).toContain((await get(target)).status);
    }
    const page = await get("/portal?x=/v2/");
    expect([page.status, page.body]).toEqual([299, "/portal?x=/v2/"]);
    expect(seen).toHaveLength(asked.length);
  },
);

describe("a target that others would take for the registry's is refused, and not passed on to the app", () => {
  test.each([
    "/%2576%2532/team/app/tags/list",
    "//v2/team/app/tags/list",
    "/x/../v2/team/app/tags/list",
    "/v2%2fteam",
    "/V%32/",
    "http://app.example.com/v2/",
  ])("%s", async (target) => {
    const { get, seen } = await startApp((proxy) => express().use(proxy));
    expect((await get(target)).status).toBe(400);
    expect(seen).toEqual([]);
  });
});

test("a target that is the registry's once decoded is judged as such, and sent on in its plain form", async () => {
  const { get, seen } = await startApp((proxy) => express().use(proxy));
  expect((await get("/%762/team/%61pp/tags/list")).status).toBe(200);
  expect(seen).toEqual(["/v2/team/app/tags/list"]);
});
