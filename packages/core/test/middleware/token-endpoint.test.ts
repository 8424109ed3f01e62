import { setTimeout as delay } from "node:timers/promises";
import type { AuthBackend } from "@registry-gate/auth";
import { describe, expect, test } from "vitest";
import type { TokenEndpoint } from "../../src/tokens/token-endpoint.ts";
import { startGate, startUpstream } from "./servers.ts";

const people = {
  id: "people",
  async authenticate({ credentials }) {
    return credentials?.scheme === "basic" && credentials.password === "right"
      ? { status: "authenticated", identity: { subject: "bob", username: "bob", groups: [], backend: "people" } }
      : { status: "abstained" };
  },
} satisfies AuthBackend;

/** Says what it was given. */
const echo: TokenEndpoint = {
  path: "/v2/auth",
  async respond({ method, query, contentType, body }, gate) {
    const verdict = await gate.authenticate();
    let text = "";
    if (method === "POST") for await (const chunk of body) text += Buffer.from(chunk).toString("utf8");
    const principal = verdict.outcome === "authenticated" ? verdict.principal : undefined;
    const may = principal === undefined ? undefined : gate.permissions(principal, "team/app");
    const seen = { method, query, contentType, text, origin: gate.origin, verdict: verdict.outcome, may };
    return {
      status: 200,
      headers: { "Content-Type": "application/json", "Cache-Control": "no-store" },
      body: JSON.stringify(seen),
      decision: "allowed",
      reason: "echoed",
      ...(principal !== undefined && { principal }),
    };
  },
};

async function gateWith(tokens: TokenEndpoint) {
  let passed = 0;
  const upstream = await startUpstream((request, response) => {
    passed++;
    request.resume();
    response.end();
  });
  const { url, records } = await startGate({
    upstream,
    backends: [people],
    tokens,
    cors: { origins: ["https://ui.example.com"] },
  });
  return { url, records, passed: () => passed };
}

const basic = { Authorization: `Basic ${Buffer.from("bob:right").toString("base64")}` };
const form = { "Content-Type": "application/x-www-form-urlencoded" };

describe("the path of the token endpoint", () => {
  test("is the endpoint's, with what the gate knows of the request", async () => {
    const { url, records, passed } = await gateWith(echo);
    const response = await fetch(`${url}/v2/auth?service=x&scope=a%20b`, { headers: basic });
    expect(response.status).toBe(200);
    expect(response.headers.get("docker-distribution-api-version")).toBe("registry/2.0");
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(response.headers.get("x-request-id")).not.toBeNull();
    expect(await response.json()).toMatchObject({
      method: "GET",
      query: "service=x&scope=a%20b",
      origin: url,
      verdict: "authenticated",
      may: { pull: true, push: true, delete: false },
    });
    await expect.poll(() => records.length).toBe(1);
    expect(records[0]).toMatchObject({
      operation: "issue-token",
      username: "bob",
      decision: "allowed",
      phase: "respond",
      reason: "echoed",
      status: 200,
    });
    expect(passed()).toBe(0);
  });

  test("takes a form, which no other path does", async () => {
    const { url, records } = await gateWith(echo);
    const init = { method: "POST", headers: form, body: "grant_type=password" };
    expect(await (await fetch(`${url}/v2/auth`, init)).json()).toMatchObject({ text: "grant_type=password" });
    expect((await fetch(`${url}/v2/team/app/blobs/uploads/`, init)).status).toBe(415);
    await expect.poll(() => records.length).toBe(2);
    expect(records[0]).toMatchObject({ bytesReceived: 19 });
  });

  test.each(["/v2/auth/", "/v2/%61uth", "/v2/auth/x", "/v2//auth"])("is not %s", async (path) => {
    const { url } = await gateWith(echo);
    expect([400, 404]).toContain((await fetch(`${url}${path}`, { headers: basic })).status);
  });

  test("has no headers for pages of other origins, and takes nothing from them", async () => {
    const { url, records } = await gateWith(echo);
    const Origin = "https://ui.example.com";
    const read = await fetch(`${url}/v2/auth`, { headers: { ...basic, Origin } });
    expect(read.headers.get("access-control-allow-origin")).toBeNull();
    const ping = await fetch(`${url}/v2/`, { headers: { ...basic, Origin } });
    expect(ping.headers.get("access-control-allow-origin")).toBe(Origin);
    const write = await fetch(`${url}/v2/auth`, { method: "POST", headers: { ...form, Origin }, body: "a=b" });
    expect(write.status).toBe(403);
    await expect.poll(() => records.length).toBe(3);
    expect(records[2]).toMatchObject({ operation: "issue-token", decision: "denied" });
  });

  test("leaves the connection usable where the endpoint does not read the body", async () => {
    const { url } = await gateWith({ ...echo, respond: async () => ({ ...refused }) });
    for (let count = 0; count < 3; count++) {
      const response = await fetch(`${url}/v2/auth`, { method: "POST", headers: form, body: "x".repeat(100_000) });
      expect(response.status).toBe(400);
    }
  });

  test("answers 500 where the endpoint throws, and goes on", async () => {
    let failing = true;
    const { url, records } = await gateWith({
      ...echo,
      async respond(request, gate) {
        await delay(1);
        if (failing) throw new Error("secret");
        return echo.respond(request, gate);
      },
    });
    const response = await fetch(`${url}/v2/auth`);
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain("secret");
    failing = false;
    expect((await fetch(`${url}/v2/auth`)).status).toBe(200);
    await expect.poll(() => records.length).toBe(2);
    expect(records[0]).toMatchObject({ outcome: "internal-error" });
  });
});

const refused = {
  status: 400,
  headers: { "Content-Type": "application/json" },
  body: "{}",
  decision: "refused",
  reason: "no",
} as const;
