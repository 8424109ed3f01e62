import type { OutgoingHttpHeaders } from "node:http";
import { describe, expect, test } from "vitest";
import { send } from "./client.ts";
import { startGate, startUpstream, type TestGate } from "./servers.ts";

const path = "/v2/team/app/tags/list";

/** What a registry, or what stands before it, may say and its client is not told. */
const kept = {
  "Set-Cookie": ["session=registry", "other=1"],
  Server: "canary/1.0",
  Via: "1.1 canary",
  "X-Powered-By": "canary",
  "X-Upstream": "10.0.0.5:5000",
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Allow-Credentials": "true",
  "Proxy-Authenticate": "Basic realm=canary",
  "Content-Security-Policy": "canary",
  "Clear-Site-Data": '"*"',
  Refresh: "0; url=http://canary/",
  "Alt-Svc": 'h2="canary:443"',
  Upgrade: "h2c",
  "Docker-Distribution-Api-Version": "canary",
};

const told = {
  "Docker-Content-Digest": "sha256:1",
  ETag: '"1"',
  "OCI-Subject": "sha256:2",
  "OCI-Namespace": "mirror.example.com",
  "Retry-After": "7",
  Warning: '299 - "deprecated"',
  "Strict-Transport-Security": "max-age=1",
  RateLimit: '"default";r=50;t=30',
  "RateLimit-Policy": '"default";q=100;w=60',
  "RateLimit-Limit": "100;w=21600",
  "RateLimit-Remaining": "76;w=21600",
  "RateLimit-Reset": "30",
};

test("forwards only allow-listed response headers of the registry", async () => {
  const upstream = await startUpstream((_, response) => {
    response.writeHead(200, { ...kept, ...told, "Content-Type": "application/json", "Content-Length": 2 }).end("{}");
  });
  const gate = await startGate({ upstream });
  const { headers } = await send(gate.port, { path });
  const { date: _, connection: __, "x-request-id": ___, ...rest } = headers;
  expect(rest).toEqual({
    "content-type": "application/json",
    "content-length": "2",
    "docker-content-digest": "sha256:1",
    "docker-distribution-api-version": "registry/2.0",
    etag: '"1"',
    "oci-namespace": "mirror.example.com",
    "oci-subject": "sha256:2",
    ratelimit: '"default";r=50;t=30',
    "ratelimit-limit": "100;w=21600",
    "ratelimit-policy": '"default";q=100;w=60',
    "ratelimit-remaining": "76;w=21600",
    "ratelimit-reset": "30",
    "retry-after": "7",
    "strict-transport-security": "max-age=1",
    warning: '299 - "deprecated"',
  });
  expect(JSON.stringify(headers)).not.toContain("canary");
});

test("drops response headers that hold anything but printable ASCII", async () => {
  const odd = { ETag: '"\u00e9"', Warning: ['199 - "a"', '199 - "\u0080"'], Location: "/v2/team/app/\u00e9" };
  const upstream = await startUpstream((_, response) => {
    response.writeHead(200, { ...odd, "Docker-Content-Digest": "sha256:1" }).end("{}");
  });
  const gate = await startGate({ upstream });
  const { status, headers } = await send(gate.port, { path });
  expect(status).toBe(200);
  expect(headers).toHaveProperty("docker-content-digest");
  for (const name of ["etag", "warning", "location"]) expect(headers).not.toHaveProperty(name);
});

type Kind = readonly [kind: string, target: string, status: number];

/** Everything that the middleware sends: what the registry says, an error of its own, and a catalog of its own making. */
const kinds: readonly Kind[] = [
  ["passes on", path, 200],
  ["gives as an error", "/v2/Team/tags/list", 400],
  ["makes of the catalog", "/v2/_catalog", 200],
];

async function gateInApp(registry: OutgoingHttpHeaders, app: OutgoingHttpHeaders): Promise<TestGate> {
  const upstream = await startUpstream((_, response) => {
    response.writeHead(200, { "Content-Type": "application/json", ...registry }).end('{"repositories":[]}');
  });
  return startGate({
    upstream,
    access: [{ subjects: ["authenticated"], repositories: ["team/**"], actions: ["pull"] }],
    mount: (proxy) => (request, response) => {
      for (const [name, value] of Object.entries(app)) if (value !== undefined) response.setHeader(name, value);
      proxy(request, response);
    },
  });
}

describe.each(kinds)("a response that the gate %s", (kind, target, status) => {
  const ask = async (registry: OutgoingHttpHeaders, app: OutgoingHttpHeaders) => {
    const response = await send((await gateInApp(registry, app)).port, { path: target });
    expect(response.status).toBe(status);
    return response;
  };

  test("keeps headers of the app about the app and the host", async () => {
    const said = {
      "Access-Control-Allow-Origin": "https://ui.example.com",
      "Content-Security-Policy": "default-src 'self'",
      "Content-Security-Policy-Report-Only": "default-src 'none'",
      "RateLimit-Remaining": "9",
      "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
      "X-Content-Type-Options": "nosniff",
      "X-Powered-By": "an app",
      "X-Request-Id": "7",
    };
    const registry = {
      "RateLimit-Limit": "100",
      "RateLimit-Remaining": "50",
      "Strict-Transport-Security": "max-age=1",
      "X-Content-Type-Options": "sniff",
    };
    const { headers } = await ask(registry, said);
    for (const [name, value] of Object.entries(said)) expect(headers[name.toLowerCase()], name).toBe(value);
    // Two limits are not mixed.
    expect(headers).not.toHaveProperty("ratelimit-limit");
  });

  test("drops headers of the app about its own response", async () => {
    const said: Record<string, string> = {
      Age: "1",
      "Accept-Ranges": "canary",
      Allow: "canary",
      "Cache-Control": "public, max-age=canary",
      "CDN-Cache-Control": "public, max-age=canary",
      "Content-Disposition": "attachment; filename=canary",
      "Content-Encoding": "canary",
      "Content-Language": "canary",
      "Content-Location": "/canary",
      "Content-Range": "canary",
      "Content-Type": "text/canary",
      "Docker-Content-Digest": "canary",
      "Docker-Distribution-Api-Version": "canary",
      ETag: '"canary"',
      Expires: "canary",
      "Last-Modified": "canary",
      Link: "</canary>; rel=preload",
      Location: "/canary",
      "OCI-Subject": "canary",
      Pragma: "canary",
      "Retry-After": "canary",
      "Surrogate-Control": "canary",
      Trailer: "canary",
      Warning: "canary",
      "WWW-Authenticate": "Basic realm=canary",
    };
    const { headers, body } = await ask({}, { ...said, "Content-Length": "1", "Transfer-Encoding": "gzip, chunked" });
    expect(JSON.stringify(headers)).not.toContain("canary");
    expect(Number(headers["content-length"] ?? body.length)).toBe(body.length);
    expect(headers["docker-distribution-api-version"]).toBe("registry/2.0");
  });

  test("with a cookie of the app is not stored by shared caches", async () => {
    const registry = { "Cache-Control": "public, max-age=31536000" };
    const plain = await ask(registry, {});
    expect(plain.headers["cache-control"]).toBe(
      { "passes on": "public, max-age=31536000", "makes of the catalog": "private, no-cache" }[kind],
    );
    const { headers } = await ask(registry, { "Set-Cookie": "session=app" });
    expect(headers).toMatchObject({ "set-cookie": ["session=app"], "cache-control": "private, no-cache" });
  });

  test("keeps the app's Cache-Control: no-store", async () => {
    const registry = { "Cache-Control": "max-age=31536000" };
    for (const cookie of [{}, { "Set-Cookie": "session=app" }]) {
      const { headers } = await ask(registry, { "Cache-Control": "private, NO-STORE", ...cookie });
      expect(headers["cache-control"]).toBe("no-store");
    }
  });
});

test("combines the Vary of the app and of the registry", async () => {
  const gate = await gateInApp({ Vary: "Accept" }, { Vary: "Origin" });
  expect((await send(gate.port, { path })).headers.vary).toBe("Origin, Accept");
});
