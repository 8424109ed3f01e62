import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import type { AuthBackend } from "@registry-gate/auth";
import { refuseUnreadable, registryProxy, serveExpectations } from "@registry-gate/core";
import express from "express";
import { afterAll, beforeAll, expect, test } from "vitest";
import { basic } from "../support/basic.ts";
import { type DockerRegistry, startDockerRegistry } from "../support/docker-registry.ts";
import { freePort } from "../support/free-port.ts";
import { startGate } from "../support/gate.ts";
import { listen } from "../support/listen.ts";
import { passwordFile } from "../support/password-file.ts";
import { exchangeRaw } from "../support/raw-client.ts";
import { digestOf, pushImage } from "../support/registry-content.ts";
import { internalsIn } from "./canaries.ts";

/** Provokes every error that the documentation names, each on a gate that is in the state for it. */

type Where = "good" | "too many failures" | "no registry or directory" | "silent registry" | "portal";

const urls = new Map<Where, string>();
/** What stands behind the gates, by its address. */
const hidden: string[] = [];
const closing: (() => unknown)[] = [];

const host = "Host: registry.example.com";
const login = (username: string): string => `Authorization: ${basic(username, `${username}-password`).authorization}`;
const alice = login("alice");
const digest = digestOf("there is no such thing");
const manifest = `{"schemaVersion":2}`;

function request(line: string, ...more: readonly string[]): string {
  return [`${line} HTTP/1.1`, host, ...more, "", ""].join("\r\n");
}

function withBody(line: string, body: string, ...more: readonly string[]): string {
  return request(line, ...more, `Content-Length: ${body.length}`) + body;
}

const many = Array.from({ length: 129 }, (_, index) => `X-${index}: 1`);
const upload = "/v2/team/app/blobs/uploads/1";
const chunks = (text: string): string => request(`PATCH ${upload}`, alice, "Transfer-Encoding: chunked") + text;

type Case = readonly [what: string, where: Where, bytes: string, status: number, code: string, header?: string];

const cases: readonly Case[] = [
  ["two hosts", "good", request("GET /v2/", alice, "Host: x"), 400, "UNSUPPORTED"],
  ["a malformed head", "good", request("GET /v2/", alice, "X"), 400, "UNSUPPORTED"],
  ["a malformed chunk", "good", chunks("zz\r\n"), 400, "UNSUPPORTED"],
  ["two users", "good", request("GET /v2/", alice, "X-Forwarded-User: bob"), 400, "UNSUPPORTED"],
  ["a malformed name", "good", request("GET /v2/Team/tags/list", alice), 400, "NAME_INVALID"],
  ["a malformed tag", "good", withBody("PUT /v2/team/app/manifests/-x", manifest, alice), 400, "TAG_INVALID"],
  ["a malformed digest", "good", request("GET /v2/team/app/blobs/sha256:x", alice), 400, "DIGEST_INVALID"],
  ["a number that is none", "good", request("GET /v2/_catalog?n=x", alice), 400, "PAGINATION_NUMBER_INVALID"],
  ["a malformed state", "good", request(`GET ${upload}?_state=/`, alice), 400, "BLOB_UPLOAD_INVALID"],
  [
    "a malformed range of a chunk",
    "good",
    withBody(`PATCH ${upload}`, "x", alice, "Content-Range: x"),
    400,
    "BLOB_UPLOAD_INVALID",
  ],
  ["a malformed Accept", "good", request("GET /v2/team/app/manifests/v1", alice, "Accept: x"), 400, "UNSUPPORTED"],
  ["a path of no operation", "good", request("GET /v2/team/app", alice), 404, "UNSUPPORTED"],
  ["a path beside the registry's", "good", request("GET /x", alice), 404, "UNSUPPORTED"],
  ["docker 1.5", "good", request("GET /v2/", alice, "User-Agent: docker/1.5.0"), 404, "UNSUPPORTED"],
  ["a tag that cannot be", "good", request("GET /v2/team/app/manifests/-x", alice), 404, "MANIFEST_UNKNOWN"],
  ["an upload that cannot be", "good", request("GET /v2/team/app/blobs/uploads/@", alice), 404, "BLOB_UPLOAD_UNKNOWN"],
  ["another method", "good", request("TRACE /v2/", alice), 405, "UNSUPPORTED", "allow"],
  ["a tunnel", "good", request("CONNECT x:1", alice), 405, "UNSUPPORTED", "allow"],
  [
    "a form",
    "good",
    withBody("POST /v2/team/app/blobs/uploads/", "a=b", alice, "Content-Type: multipart/x"),
    415,
    "UNSUPPORTED",
  ],
  ["an odd expectation", "good", request("GET /v2/", alice, "Expect: x"), 417, "UNSUPPORTED"],
  ["too many headers", "good", request("GET /v2/", alice, ...many), 431, "UNSUPPORTED"],
  ["too long a head", "good", request("GET /v2/", alice, `X: ${"x".repeat(40_000)}`), 431, "UNSUPPORTED"],
  ["too long an extension of a chunk", "good", chunks(`5;${"x".repeat(20_000)}\r\n`), 413, "UNSUPPORTED"],
  ["another version", "good", request("GET /v2/", alice).replace("1.1", "2.0"), 505, "UNSUPPORTED"],
  ["nobody", "good", request("GET /v2/"), 401, "UNAUTHORIZED", "www-authenticate"],
  [
    "a wrong password",
    "good",
    request("GET /v2/", login("alice").replace(/.{4}$/, "eA==")),
    401,
    "UNAUTHORIZED",
    "www-authenticate",
  ],
  ["a malformed login", "good", request("GET /v2/", "Authorization: x"), 401, "UNAUTHORIZED", "www-authenticate"],
  ["an unknown user", "good", request("GET /v2/", login("x")), 401, "UNAUTHORIZED", "www-authenticate"],
  ["too many failed logins", "too many failures", request("GET /v2/", alice), 429, "TOOMANYREQUESTS", "retry-after"],
  ["what is not allowed", "good", request("GET /v2/other/app/tags/list", alice), 403, "DENIED"],
  [
    "a page of another origin",
    "good",
    request("DELETE /v2/team/app/manifests/v1", alice, "Sec-Fetch-Site: cross-site"),
    403,
    "DENIED",
  ],
  ["a tag that must stay", "good", withBody("PUT /v2/team/app/manifests/v1", manifest, alice), 403, "DENIED"],
  [
    "a directory that is away",
    "no registry or directory",
    request("GET /v2/", login("x")),
    503,
    "UNAVAILABLE",
    "retry-after",
  ],
  ["a registry that is away", "no registry or directory", request("GET /v2/", alice), 502, "UNAVAILABLE"],
  [
    "a registry that is away, asked for its list",
    "no registry or directory",
    request("GET /v2/_catalog", alice),
    502,
    "UNAVAILABLE",
  ],
  [
    "a registry that is away, asked for a tag",
    "no registry or directory",
    withBody("PUT /v2/team/app/manifests/v1", manifest, alice),
    502,
    "UNAVAILABLE",
  ],
  ["a silent registry", "silent registry", request(`GET /v2/team/app/blobs/${digest}`, alice), 504, "UNAVAILABLE"],
  ["a body that stalls", "silent registry", request(`PATCH ${upload}`, alice, "Content-Length: 5"), 408, "UNKNOWN"],
  ["a head that stalls", "silent registry", "GET /v2/ HTTP/1.1\r\n", 408, "UNKNOWN"],
  [
    "a body that somebody has read",
    "portal",
    withBody(`PATCH ${upload}`, "{}", alice, "Content-Type: application/json"),
    500,
    "UNKNOWN",
  ],
  ["a mistake of the gate's", "portal", request("GET /v2/team/app/tags/list"), 500, "UNKNOWN"],
];

beforeAll(async () => {
  const registry: DockerRegistry = await startDockerRegistry();
  const silent = createServer((socket) => socket.on("error", () => {}).resume());
  const silentPort = await listen(silent);
  const nowhere = await freePort();
  const directory = await freePort();
  hidden.push(registry.url, `127.0.0.1:${silentPort}`, `127.0.0.1:${nowhere}`, `127.0.0.1:${directory}`);
  closing.push(() => silent.close(), registry.close);

  const files = { htpasswd: await passwordFile({ alice: "alice-password" }) };
  const htpasswd = { type: "htpasswd", file: "htpasswd" };
  const access = [{ subjects: ["authenticated"], repositories: ["team/**"], actions: ["*"], immutableTags: ["v*"] }];
  const start = async (
    where: Where,
    url: string,
    backends: readonly object[],
    listenMore = {},
    authMore = {},
  ): Promise<void> => {
    const gate = await startGate({
      configuration: {
        listen: { address: "127.0.0.1:0", ...listenMore },
        upstream: { url, readTimeout: "1s" },
        auth: { backends, ...authMore },
        access,
      },
      files,
    });
    closing.push(gate.close);
    urls.set(where, gate.url);
  };
  const header = { type: "sso-header", userHeader: "X-Forwarded-User", trustedProxies: ["127.0.0.1"] };
  await start("good", registry.url, [header, htpasswd]);
  const throttle = { perUserAndAddress: "1/1h", backoff: "1h..1h" };
  await start("too many failures", registry.url, [htpasswd], {}, { throttle });
  const failure = `Authorization: ${basic("alice", "wrong").authorization}`;
  await exchangeRaw(urls.get("too many failures") ?? "", request("GET /v2/", failure));
  const ldap = {
    type: "ldap",
    urls: [`ldaps://127.0.0.1:${directory}`],
    searchBase: "dc=example,dc=org",
    timeout: "500ms",
  };
  await start("no registry or directory", `http://127.0.0.1:${nowhere}`, [htpasswd, ldap]);
  await start("silent registry", `http://127.0.0.1:${silentPort}`, [htpasswd], { headersTimeout: "1s" });
  urls.set("portal", await startPortal(registry.url));

  const good = urls.get("good") ?? "";
  await pushImage({ url: good, headers: basic("alice", "alice-password") }, "team/app", "v1", "a layer");
});

/** An app that reads bodies too early, with a backend that makes a mistake. */
async function startPortal(url: string): Promise<string> {
  const backend: AuthBackend = {
    id: "portal",
    authenticate: async ({ credentials }) =>
      credentials?.scheme === "basic"
        ? { status: "authenticated", identity: { subject: "a", username: "a", groups: [], backend: "portal" } }
        : { status: "abstained" },
    challenge: () => {
      throw new TypeError(`a mistake in ${import.meta.url}`);
    },
  };
  const proxy = registryProxy({ upstream: { url }, backends: [backend] });
  // What an app says of itself is its own business.
  const app = express().disable("x-powered-by").use(express.json()).use(proxy);
  const server = createHttpServer(app);
  serveExpectations(server, app);
  refuseUnreadable(server);
  const port = await listen(server);
  closing.push(async () => {
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
    await proxy.close();
  });
  return `http://127.0.0.1:${port}`;
}

afterAll(async () => {
  for (const close of closing.toReversed()) await close();
});

const named = cases.map(([what, where, bytes, status, code, header]) => ({ what, where, bytes, status, code, header }));

test.each(named)("$what ($where)", async ({ where, bytes, status, code, header }) => {
  const [response] = await exchangeRaw(urls.get(where) ?? "", bytes);
  if (response === undefined) throw new Error("no response");
  expect(response.status).toBe(status);
  const body: unknown = JSON.parse(response.body);
  // On what it would have to be allowed is left out: the response is the same for every repository.
  const accesses = expect.arrayContaining([
    { type: "repository", action: expect.stringMatching(/^(?:pull|push|delete|\*)$/) },
  ]);
  const requestId = response.headers.get("x-request-id");
  expect(requestId).toBeTruthy();
  const mayLack = code === "DENIED" || code === "UNAUTHORIZED";
  const lacking = mayLack && response.body.includes('"accesses"');
  const detail = lacking ? { requestId, accesses } : { requestId };
  expect(body).toEqual({ errors: [{ code, message: expect.stringMatching(/^[a-z0-9'_ -]+$/i), detail }] });
  expect(response.headers.get("content-type")).toBe("application/json; charset=utf-8");
  expect(response.headers.get("docker-distribution-api-version")).toBe("registry/2.0");
  expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  if (header !== undefined) expect(response.headers.get(header)).toBeDefined();

  const told = [...response.headers].join("\n") + response.body;
  for (const address of hidden) expect(told).not.toContain(new URL(address.replace(/^(?!http)/, "http://")).host);
  expect(internalsIn(told)).toBeUndefined();
  expect(told).not.toMatch(/express|node\b|htpasswd|ldap|\/work|\/tmp|file:|TypeError/i);
});

test("every error that the documentation names is among them", async () => {
  const readme = await readFile(new URL("../../packages/core/README.md", import.meta.url), "utf8");
  const table = readme.slice(readme.indexOf("## Error responses"), readme.indexOf("## What is dropped"));
  const rows = [...table.matchAll(/^\| .*? \| (\d{3}) +\| (`[A-Z_`, ]+`) +\|/gm)];
  expect(rows.length).toBeGreaterThan(15);
  const documented = rows.flatMap(([, status, codes = ""]) =>
    [...codes.matchAll(/[A-Z_]+/g)].map(([code]) => `${status} ${code}`),
  );
  const shown = cases.map(([, , , status, code]) => `${status} ${code}`);
  expect([...new Set(shown)].sort()).toEqual([...new Set(documented)].sort());
});
