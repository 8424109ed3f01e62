import { once } from "node:events";
import { request } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningGate, startGate } from "../support/gate.ts";
import { startNginx } from "../support/nginx.ts";
import { run } from "../support/run.ts";
import { type ScriptedUpstream, startUpstream } from "../support/upstream.ts";

let upstream: ScriptedUpstream;

beforeAll(async () => {
  upstream = await startUpstream((_, response) => response.end("{}"));
});
afterAll(() => upstream?.close());

function gateAt(address: string, trustedProxies: readonly string[]): Promise<RunningGate> {
  return startGate({
    configuration: {
      listen: { address },
      upstream: { url: upstream.url },
      auth: { backends: [{ type: "sso-header", trustedProxies, userHeader: "X-Forwarded-User" }] },
    },
  });
}

describe("a gate on both families of addresses", () => {
  /** Names a user from an address of this machine. */
  async function ask(gate: RunningGate, host: string, localAddress: string): Promise<number | undefined> {
    const port = new URL(gate.url).port;
    const headers = { "x-forwarded-user": "alice" };
    const call = request({ host, port, localAddress, headers, path: "/v2/", agent: false });
    call.end();
    const [response] = await once(call, "response");
    response.resume();
    return response.statusCode;
  }

  test.each([
    ["an IPv4 address", "127.0.0.2"],
    ["a block of IPv4 addresses", "127.0.0.2/31"],
    ["an IPv4-mapped address", "::ffff:127.0.0.2"],
    ["a block of IPv4-mapped addresses", "::ffff:7f00:2/127"],
  ])("trusts a front by %s, and its neighbours not", async (_, entry) => {
    // IPv4 peers of this socket have IPv4-mapped addresses.
    const gate = await gateAt("[::]:0", [entry]);
    try {
      expect(await ask(gate, "127.0.0.1", "127.0.0.2")).toBe(200);
      expect(await ask(gate, "127.0.0.1", "127.0.0.1")).toBe(401);
      expect(await ask(gate, "127.0.0.1", "127.0.0.4")).toBe(401);
      expect(await ask(gate, "::1", "::1")).toBe(401);
    } finally {
      await gate.close();
    }
  });

  test("trusts a front by its IPv6 address", async () => {
    const gate = await gateAt("[::]:0", ["::1"]);
    try {
      expect(await ask(gate, "::1", "::1")).toBe(200);
      expect(await ask(gate, "127.0.0.1", "127.0.0.1")).toBe(401);
    } finally {
      await gate.close();
    }
  });
});

describe("a gate on a Unix socket", () => {
  test.each([
    ["trusts every peer, where it is configured to", ["unix:"], 200],
    ["trusts nobody for an address", ["127.0.0.1", "::1"], 401],
  ])("%s", async (_, trustedProxies, status) => {
    const gate = await gateAt("unix:gate.sock", trustedProxies);
    const socket = join(gate.directory, "gate.sock");
    const nginx = await startNginx({
      http: (port) => `
        server {
          listen 127.0.0.1:${port};
          location /v2/ {
            proxy_pass http://unix:${socket};
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-User alice;
          }
        }`,
    });
    try {
      const format = ["--silent", "--output", "/dev/null", "--write-out", "%{http_code}"];
      expect(await run("curl", [...format, `http://127.0.0.1:${nginx.port}/v2/`])).toBe(String(status));
      const direct = ["--unix-socket", socket, "--header", "X-Forwarded-User: alice", "http://localhost/v2/"];
      expect(await run("curl", [...format, ...direct])).toBe(String(status));
      const record = await gate.logged(({ event }) => event === "request");
      expect(record.username).toBe(status === 200 ? "alice" : undefined);
    } finally {
      await nginx.close();
      await gate.close();
    }
  });
});
