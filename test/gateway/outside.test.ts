import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningGate, startGate } from "../support/gate.ts";
import { exchangeRaw } from "../support/raw-client.ts";
import { type ScriptedUpstream, startUpstream } from "../support/upstream.ts";

/** What is not for the registry is answered by the gate itself, and logged like every other request. */

let asked = 0;
let upstream: ScriptedUpstream;
let gate: RunningGate;

beforeAll(async () => {
  upstream = await startUpstream((_, response) => {
    asked++;
    response.end();
  });
  gate = await startGate({
    configuration: {
      listen: { address: "127.0.0.1:0", trustedProxies: ["127.0.0.1"] },
      upstream: { url: upstream.url },
      auth: { backends: [{ type: "htpasswd", file: "htpasswd" }] },
    },
    files: { htpasswd: "" },
  });
});

afterAll(async () => {
  await gate.close();
  await upstream.close();
});

const address = "192.0.2.7";
let requests = 0;

test.each<[title: string, rest?: string]>([
  ["GET / HTTP/1.1"],
  ["GET /v1/_ping HTTP/1.1"],
  ["GET /v2x/ HTTP/1.1"],
  ["GET /metrics HTTP/1.1"],
  ["GET http://[::1/ HTTP/1.1"],
  ["GET http://registry.example.com/ HTTP/1.1"],
  ["GET https://user:password@registry.example.com:443/x?y HTTP/1.1"],
  ["GET ftp:// HTTP/1.1"],
  ["GET //x HTTP/1.1"],
  ["GET ///// HTTP/1.1"],
  ["GET /% HTTP/1.1"],
  ["GET /%ff%fe HTTP/1.1"],
  ["GET /%00 HTTP/1.1"],
  ["GET /a/../../../etc/passwd HTTP/1.1"],
  ["GET /\\..\\x HTTP/1.1"],
  ["GET /?%= HTTP/1.1"],
  ["GET /#fragment HTTP/1.1"],
  ["GET /a/a/a… HTTP/1.1", "a/".repeat(15_000)],
  ["GET /%2e%2e/%2e%2e/%2e%2e/… HTTP/1.1", "%2e%2e/".repeat(4000)],
  ["GET /?a&a&a… HTTP/1.1", "a&".repeat(15_000)],
  ["OPTIONS * HTTP/1.1"],
  ["OPTIONS / HTTP/1.1"],
  ["TRACE / HTTP/1.1"],
  ["TRACE * HTTP/1.1"],
  ["PROPFIND / HTTP/1.1"],
  ["M-SEARCH * HTTP/1.1"],
  ["POST / HTTP/1.1"],
  ["DELETE /x HTTP/1.1"],
  ["GET / HTTP/1.0"],
])("%s is not found, in the format of every other error", async (title, rest = "") => {
  const line = title.replace("…", rest);
  const [response] = await exchangeRaw(
    gate.url,
    `${line}\r\nHost: registry.example.com\r\nX-Forwarded-For: ${address}\r\nContent-Length: 0\r\n\r\n`,
  );
  expect(response?.status).toBe(404);
  expect(response?.headers.get("content-type")).toBe("application/json; charset=utf-8");
  expect(response?.headers.get("docker-distribution-api-version")).toBe("registry/2.0");
  expect(JSON.parse(response?.body ?? "")).toEqual({
    errors: [
      { code: "UNSUPPORTED", message: "not found", detail: { requestId: response?.headers.get("x-request-id") } },
    ],
  });
  requests++;
  await expect.poll(() => gate.lines().filter(({ event }) => event === "request").length).toBe(requests);
  expect(gate.lines().findLast(({ event }) => event === "request")).toMatchObject({
    method: line.split(" ")[0],
    client: address,
    decision: "refused",
    reason: "not below /v2/",
    status: 404,
    bytesSent: response?.body.length,
  });
  expect(asked).toBe(0);
});

test("HEAD gets no body", async () => {
  const response = await fetch(`${gate.url}/x`, { method: "HEAD" });
  expect(response.status).toBe(404);
  expect(await response.text()).toBe("");
});
