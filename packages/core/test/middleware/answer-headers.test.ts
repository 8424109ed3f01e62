import { expect, test } from "vitest";
import { send } from "./client.ts";
import { startGate, startUpstream } from "./servers.ts";

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
  "Strict-Transport-Security": "max-age=1",
  "Content-Security-Policy": "canary",
  "Clear-Site-Data": '"*"',
  Refresh: "0; url=http://canary/",
  "Alt-Svc": 'h2="canary:443"',
  Upgrade: "h2c",
  "Docker-Distribution-Api-Version": "canary",
};

const told = { "Docker-Content-Digest": "sha256:1", ETag: '"1"', "OCI-Subject": "sha256:2", Link: "<x>; rel=next" };

test("of the registry's headers those that are its to say come to the client, and no others", async () => {
  const upstream = await startUpstream((_, response) => {
    response.writeHead(200, { ...kept, ...told, "Content-Type": "application/json", "Content-Length": 2 }).end("{}");
  });
  const gate = await startGate({ upstream });
  const { headers } = await send(gate.port, { path });
  const { date: _, connection: __, ...rest } = headers;
  expect(rest).toEqual({
    "content-type": "application/json",
    "content-length": "2",
    "docker-content-digest": "sha256:1",
    "docker-distribution-api-version": "registry/2.0",
    etag: '"1"',
    link: "<x>; rel=next",
    "oci-subject": "sha256:2",
  });
  expect(JSON.stringify(headers)).not.toContain("canary");
});

test("drops response headers that hold anything but printable ASCII", async () => {
  const odd = { ETag: '"\u00e9"', Link: ["<x>; rel=next", "<\u0080>"], Location: "/v2/team/app/\u00e9" };
  const upstream = await startUpstream((_, response) => {
    response.writeHead(200, { ...odd, "Docker-Content-Digest": "sha256:1" }).end("{}");
  });
  const gate = await startGate({ upstream });
  const { status, headers } = await send(gate.port, { path });
  expect(status).toBe(200);
  expect(headers).toHaveProperty("docker-content-digest");
  for (const name of ["etag", "link", "location"]) expect(headers).not.toHaveProperty(name);
});

test.each([
  ["passes on", path, 200],
  ["gives by itself", "/v2/Team/tags/list", 400],
])("an answer that the gate %s has nothing of what the app before it has written", async (_, target, status) => {
  const upstream = await startUpstream((_request, response) => void response.end("{}"));
  const gate = await startGate({
    upstream,
    mount: (proxy) => (request, response) => {
      response.setHeader("X-Powered-By", "an app");
      response.setHeader("Set-Cookie", "session=app");
      response.setHeader("ETag", "an app's");
      proxy(request, response);
    },
  });
  const answer = await send(gate.port, { path: target });
  expect(answer.status).toBe(status);
  for (const name of ["x-powered-by", "set-cookie", "etag"]) expect(answer.headers).not.toHaveProperty(name);
});
