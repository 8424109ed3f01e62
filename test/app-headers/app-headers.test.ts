import { createServer, type Server } from "node:http";
import type { AuthBackend, AuthResult } from "@registry-gate/auth";
import { type RegistryProxy, registryProxy } from "@registry-gate/core";
import { type EmbeddedRegistry, startEmbeddedRegistry } from "@registry-gate/embedded-registry";
import cors from "cors";
import express from "express";
import session from "express-session";
import helmet from "helmet";
import { afterAll, beforeAll, expect, test } from "vitest";
import { basic } from "../support/basic.ts";
import { listen } from "../support/listen.ts";
import { pushImage } from "../support/registry-content.ts";

const origin = "https://ui.example.com";

const users: AuthBackend = {
  id: "users",
  async authenticate({ credentials }): Promise<AuthResult> {
    if (credentials?.scheme !== "basic") return { status: "abstained" };
    const { username } = credentials;
    return { status: "authenticated", identity: { subject: username, username, groups: [], backend: "users" } };
  },
};

let upstream: EmbeddedRegistry;
let registry: RegistryProxy;
let server: Server;
let url: string;
let blob: string;

/** An app as people have it: security headers, CORS and sessions for all of it, and the registry behind them. */
beforeAll(async () => {
  upstream = await startEmbeddedRegistry();
  registry = registryProxy({
    upstream: { url: upstream.url },
    backends: [users],
    access: [
      { subjects: ["authenticated"], repositories: ["team/**"], actions: ["pull", "push"] },
      { subjects: ["anonymous"], repositories: ["team/**"], actions: ["pull"] },
    ],
  });
  const app = express();
  app.use(helmet());
  app.use(cors({ origin, credentials: true, exposedHeaders: ["Docker-Content-Digest"] }));
  app.use(session({ secret: "for tests", rolling: true, resave: false, saveUninitialized: true }));
  app.use("/v2", registry);
  server = createServer(app);
  registry.attach(server, app);
  url = `http://127.0.0.1:${await listen(server)}`;
  const pushed = await pushImage({ url, headers: basic("alice", "any") }, "team/app", "v1", "a layer");
  blob = pushed.blob;
});

afterAll(async () => {
  server?.close();
  server?.closeAllConnections();
  await registry?.close();
  await upstream?.close();
});

const ask = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(url + path, { headers: { origin, ...headers } });

const responses: readonly (readonly [
  what: string,
  path: () => string,
  login: Record<string, string>,
  status: number,
])[] = [
  ["a blob of the registry", () => `/v2/team/app/blobs/${blob}`, {}, 200],
  ["a manifest of the registry", () => "/v2/team/app/manifests/v1", basic("alice", "any"), 200],
  ["an error of the registry", () => "/v2/team/app/manifests/v2", basic("alice", "any"), 404],
  ["a catalog", () => "/v2/_catalog", basic("alice", "any"), 200],
  ["a challenge", () => "/v2/", {}, 401],
  ["a refusal", () => "/v2/Team/tags/list", {}, 400],
];

test.each(responses)("helmet, cors and express-session have their say on %s", async (_, path, login, status) => {
  const { headers, status: got } = await ask(path(), login);
  expect(got).toBe(status);
  expect(Object.fromEntries(headers)).toMatchObject({
    "access-control-allow-credentials": "true",
    "access-control-allow-origin": origin,
    "access-control-expose-headers": "Docker-Content-Digest",
    "content-security-policy": expect.stringContaining("default-src 'self'"),
    "docker-distribution-api-version": "registry/2.0",
    "strict-transport-security": expect.stringContaining("max-age=31536000"),
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
  });
  expect(headers.get("vary")).toContain("Origin");
  expect(headers.get("www-authenticate")).toBe(status === 401 ? 'Basic realm="Registry realm"' : null);
});

test.each(responses)("a rolling session's cookie on %s reaches no shared cache", async (_, path, login) => {
  const first = await ask(path(), login);
  const [cookie = ""] = first.headers.getSetCookie();
  expect(cookie).toMatch(/^connect\.sid=/);
  expect(first.headers.get("cache-control")).toBe("private, no-cache");
  // It is renewed with each response.
  const again = await ask(path(), { ...login, cookie: cookie.split(";", 1).join() });
  expect(again.headers.getSetCookie()).toHaveLength(1);
  expect(again.headers.get("cache-control")).toBe("private, no-cache");
});
