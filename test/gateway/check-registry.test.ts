import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import type { RequestListener } from "node:http";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makeCertificate } from "../support/certificate.ts";
import { startDockerRegistry } from "../support/docker-registry.ts";
import { freePort } from "../support/free-port.ts";
import { listen } from "../support/listen.ts";
import { passwordFile } from "../support/password-file.ts";
import { startUpstream } from "../support/upstream.ts";
import { runGate } from "./run-gate.ts";

let directory: string;
const toClose: { close(): Promise<unknown> }[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "check-registry-"));
  await writeFile(join(directory, "htpasswd"), await passwordFile({ alice: "alice-password" }));
});

afterEach(async () => {
  for (const server of toClose.splice(0)) await server.close();
  await rm(directory, { recursive: true, force: true });
});

async function check(upstream: object) {
  const configuration = {
    listen: { address: "127.0.0.1:0" },
    upstream,
    auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
  };
  await writeFile(join(directory, "gate.yaml"), JSON.stringify(configuration));
  return runGate(["check", "--connect", "--config", "gate.yaml"], { directory });
}

async function scripted(respond: RequestListener): Promise<string> {
  const upstream = await startUpstream(respond);
  toClose.push(upstream);
  return upstream.url;
}

/** The line of the step, without its time. */
const ping = (stdout: string): string | undefined =>
  / {4}((?:ok|failed) +ping) +\d+ ms(.*)/.exec(stdout)?.slice(1).join("");

test("reports a working registry", async () => {
  const registry = await startDockerRegistry();
  toClose.push(registry);
  const { code, stdout, stderr } = await check({ url: registry.url });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toContain(`upstream\n  ${registry.url}\n`);
  expect(ping(stdout)).toBe("ok      ping  version registry/2.0");
  expect(stdout).toMatch(/\ngate\.yaml: ok\n$/);
});

test("without --connect nothing is connected to", async () => {
  let asked = 0;
  const url = await scripted((_, response) => {
    asked++;
    response.end();
  });
  await check({ url });
  expect(asked).toBe(1);
  await runGate(["check", "--config", "gate.yaml"], { directory });
  expect(asked).toBe(1);
});

test("reports an unreachable registry as a failure", async () => {
  const url = `http://127.0.0.1:${await freePort()}`;
  const { code, stdout, stderr } = await check({ url });
  expect(code).toBe(1);
  expect(stderr).toMatch(/^gate\.yaml: upstream: ping failed: .*ECONNREFUSED.* \(http:.*\)\n$/);
  expect(stdout).not.toContain("gate.yaml: ok");
});

test.each<[string, number, string]>([
  ["wants a login of its own", 401, "the registry requires a login, and users' passwords are never forwarded to it"],
  ["is no registry", 404, "responds with 404, but a registry responds with 200"],
  ["sends somewhere else", 302, "responds with 302, but a registry responds with 200"],
])("what %s is a failure", async (_, status, reason) => {
  const url = await scripted((_request, response) => response.writeHead(status, { location: "/elsewhere" }).end());
  const { code, stderr } = await check({ url });
  expect({ code, stderr }).toEqual({ code: 1, stderr: `gate.yaml: upstream: ping failed: ${reason} (${url})\n` });
});

test.each<[string, RequestListener, string]>([
  [
    "a registry",
    (_, response) => response.writeHead(401).end('{"errors":[{"code":"UNAUTHORIZED"}]}'),
    ": set upstream.credentials",
  ],
  ["a web server", (_, response) => response.writeHead(401).end('{"error":"unauthorized"}'), ""],
])("says how to give the gate a login if the upstream is %s", async (_, respond, hint) => {
  const url = await scripted(respond);
  const reason = `the registry requires a login, and users' passwords are never forwarded to it${hint}`;
  expect((await check({ url })).stderr).toBe(`gate.yaml: upstream: ping failed: ${reason} (${url})\n`);
});

describe("what responds to its version check with 200", () => {
  const version = { "Docker-Distribution-Api-Version": "registry/2.0" };

  test.each<[string, RequestListener]>([
    ["says which version of the API it speaks", (_, response) => response.writeHead(200, version).end()],
    ["has the empty object of docker-registry", (_, response) => response.writeHead(200).end("{}\n")],
  ])("and %s is a registry", async (_, respond) => {
    expect(await check({ url: await scripted(respond) })).toMatchObject({ code: 0, stderr: "" });
  });

  test.each<[string, RequestListener]>([
    [
      "a web page",
      (_, response) => response.writeHead(200, { "Content-Type": "text/html" }).end("<title>Welcome</title>"),
    ],
    ["nothing", (_, response) => response.end()],
    ["JSON of something else", (_, response) => response.end('{"status":"ok"}')],
    ["a page without end", (_, response) => response.end("x".repeat(10_000_000))],
  ])("with %s is none", async (_, respond) => {
    const url = await scripted(respond);
    const reason = "responds with 200, but not like a registry: no Docker-Distribution-Api-Version header and no JSON";
    const { code, stderr } = await check({ url });
    expect({ code, stderr }).toEqual({ code: 1, stderr: `gate.yaml: upstream: ping failed: ${reason} (${url})\n` });
  });
});

test("what says nothing is a failure after connectTimeout", async () => {
  const url = await scripted(() => {});
  const { code, stderr } = await check({ url, connectTimeout: "200ms" });
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: `gate.yaml: upstream: ping failed: no response in time (${url})\n`,
  });
});

test("a registry with TLS is trusted by the authority of the configuration, and by no other", async () => {
  const certificate = await makeCertificate(directory);
  const [cert, key] = [await readFile(certificate.certificate), await readFile(certificate.key)];
  const server = createServer({ cert, key }, (_, response) => response.end("{}"));
  const url = `https://127.0.0.1:${await listen(server)}`;
  toClose.push({
    close() {
      server.closeAllConnections();
      return once(server.close(), "close");
    },
  });
  expect((await check({ url, ca: certificate.authority })).code).toBe(0);
  const untrusted = await check({ url });
  expect(untrusted.code).toBe(1);
  expect(untrusted.stderr).toMatch(/ping failed: .*certificate/);
});
