import type { IncomingMessage } from "node:http";
import { request as httpRequest } from "node:http";
import type { Identity } from "@registry-gate/auth";
import { describe, expect, test } from "vitest";
import { alice, startGate, startUpstream, type TestGate } from "./servers.ts";

/** The app's session: whoever the cookie names. */
function cookieUser(request: IncomingMessage): Identity | undefined {
  const username = /(?:^|; )user=(\w+)/.exec(request.headers.cookie ?? "")?.[1];
  if (username === "broken") throw new Error("the store of sessions is down");
  return username === undefined ? undefined : { subject: username, username, groups: ["dev"], backend: "portal" };
}

async function gateWithSessions(): Promise<TestGate & { readonly seen: IncomingMessage["headers"][] }> {
  const seen: IncomingMessage["headers"][] = [];
  const upstream = await startUpstream((request, response) => {
    seen.push(request.headers);
    request.resume();
    response.setHeader("Content-Type", "text/html");
    response.setHeader("Cache-Control", "max-age=31536000");
    response.end("<script>alert(1)</script>");
  });
  return { ...(await startGate({ upstream, session: cookieUser, trustedProxies: ["127.0.0.1"] })), seen };
}

interface ClientResponse {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
}

/** Unlike fetch, it sends the headers that a browser writes by itself. */
function send(url: string, method: string, headers: Readonly<Record<string, string>>): Promise<ClientResponse> {
  return new Promise((resolve, reject) => {
    httpRequest(url, { method, headers })
      .once("response", (response) => {
        response.resume();
        resolve({ status: response.statusCode ?? 0, headers: response.headers });
      })
      .once("error", reject)
      .end();
  });
}

const cookie = { cookie: "user=bob" };
const tags = "/v2/team/app/tags/list";
const manifest = "/v2/team/app/manifests/v1";

test("authenticates users by the session of the app, without forwarding their cookie", async () => {
  const gate = await gateWithSessions();
  expect(await send(gate.url + tags, "GET", cookie)).toMatchObject({ status: 200 });
  expect(gate.seen[0]).not.toHaveProperty("cookie");
  await expect.poll(() => gate.records.length).toBe(1);
  expect(gate.records[0]).toMatchObject({ username: "bob", backend: "portal", decision: "allowed" });
  expect(await send(gate.url + tags, "GET", {})).toMatchObject({ status: 401 });
  expect(await send(gate.url + tags, "GET", { cookie: "other=bob" })).toMatchObject({ status: 401 });
});

test("ignores sessions without the option", async () => {
  const gate = await startGate({ upstream: await startUpstream((_, response) => void response.end()) });
  expect(await send(gate.url + tags, "GET", cookie)).toMatchObject({ status: 401 });
});

test("ignores an ended session: nothing is cached", async () => {
  const gate = await gateWithSessions();
  for (let round = 0; round < 3; round++) {
    expect(await send(gate.url + tags, "GET", { cookie: "user=alice" })).toMatchObject({ status: 200 });
    expect(await send(gate.url + tags, "GET", {})).toMatchObject({ status: 401 });
  }
});

test("rejects a wrong password also in a session, and caches neither for the other", async () => {
  const gate = await gateWithSessions();
  const wrong = `Basic ${Buffer.from("alice:wrong").toString("base64")}`;
  const session = { cookie: "user=alice" };
  for (let round = 0; round < 2; round++) {
    expect(await send(gate.url + tags, "GET", { ...session, authorization: wrong })).toMatchObject({ status: 401 });
    expect(await send(gate.url + tags, "GET", { authorization: wrong })).toMatchObject({ status: 401 });
    expect(await send(gate.url + tags, "GET", { ...session, authorization: alice })).toMatchObject({ status: 200 });
  }
  await expect.poll(() => gate.records.length).toBe(6);
  expect(gate.records.map(({ backend }) => backend)).toEqual([
    ...[undefined, undefined, "people"],
    ...[undefined, undefined, "people"],
  ]);
});

describe("two users in one request are refused with 400:", () => {
  const basic = (login: string): string => `Basic ${Buffer.from(login).toString("base64")}`;
  test.each<[string, Record<string, string>]>([
    ["the session's and another's right password", { authorization: alice }],
    ["the session's and another's wrong password", { authorization: basic("alice:wrong") }],
    ["the session's and a stranger's", { authorization: basic("carol:x") }],
    ["the session's and another's in a header", { "x-test-user": "alice" }],
  ])("%s", async (_, more) => {
    const gate = await gateWithSessions();
    // A login that is remembered is no way around it.
    expect(await send(gate.url + tags, "GET", { authorization: alice })).toMatchObject({ status: 200 });
    expect(await send(gate.url + tags, "GET", { ...cookie, ...more })).toMatchObject({ status: 400 });
    expect(gate.seen).toHaveLength(1);
  });

  test("accepts one user named twice, in any Unicode form", async () => {
    const upstream = await startUpstream((_, response) => void response.end());
    const session = () => ({ subject: "1", username: "a\u0308", groups: [], backend: "portal" });
    const gate = await startGate({ upstream, session });
    expect(await send(gate.url + tags, "GET", { authorization: basic("\u00e4:wrong") })).toMatchObject({ status: 401 });
    expect(await send(gate.url + tags, "GET", { "x-test-user": "alice" })).toMatchObject({ status: 400 });
  });
});

test("responds with 503 when the session lookup fails, never as to an anonymous caller", async () => {
  const gate = await gateWithSessions();
  const broken = { cookie: "user=broken" };
  expect(await send(gate.url + tags, "GET", broken)).toMatchObject({ status: 503 });
  expect(await send(gate.url + tags, "GET", { ...broken, authorization: alice })).toMatchObject({ status: 503 });
  expect(gate.seen).toHaveLength(0);
  expect(gate.logged()).toContain("the store of sessions is down");
});

describe("a request of a cross-site page", () => {
  // What browsers send: Sec-Fetch-Site over TLS and on loopback, Origin alone elsewhere.
  const own = { host: "portal.example.com" };
  const https = { ...own, "x-forwarded-proto": "https" };
  test.each<[why: string, headers: Record<string, string>, reads: number, writes: number]>([
    ["from the app's own page", { ...own, "sec-fetch-site": "same-origin" }, 200, 200],
    ["from another site", { ...own, "sec-fetch-site": "cross-site" }, 403, 403],
    ["from another host of the site", { ...own, "sec-fetch-site": "same-site" }, 403, 403],
    ["typed by the user", { ...own, "sec-fetch-site": "none" }, 200, 403],
    ["from who knows where", { ...own, "sec-fetch-site": "sideways" }, 403, 403],
    ["from two places", { ...own, "sec-fetch-site": "same-origin, cross-site" }, 403, 403],
    ["from the own origin", { ...own, origin: "http://portal.example.com" }, 200, 200],
    ["from the own origin behind a proxy", { ...https, origin: "https://portal.example.com" }, 200, 200],
    ["from the own origin, with its port", { host: "portal:80", origin: "http://portal" }, 200, 200],
    ["from the own host by another scheme", { ...https, origin: "http://portal.example.com" }, 403, 403],
    ["from another port", { ...own, origin: "http://portal.example.com:8080" }, 403, 403],
    ["from another origin", { ...own, origin: "http://evil.example" }, 403, 403],
    ["from an origin that begins alike", { ...own, origin: "http://portal.example.com.evil.example" }, 403, 403],
    ["from an origin that is hidden", { ...own, origin: "null" }, 403, 403],
    ["from an origin that is empty", { ...own, origin: "" }, 403, 403],
    ["without a word of it", own, 200, 403],
    [
      "with Sec-Fetch-Site and Origin at odds",
      { ...own, "sec-fetch-site": "cross-site", origin: "http://portal.example.com" },
      403,
      403,
    ],
  ])("%s: what a session may do", async (_, headers, reads, writes) => {
    const gate = await gateWithSessions();
    for (const [method, path] of [
      ["GET", tags],
      ["HEAD", manifest],
    ] as const) {
      expect((await send(gate.url + path, method, { ...cookie, ...headers })).status, method).toBe(reads);
    }
    for (const [method, path] of [
      ["PUT", manifest],
      ["POST", "/v2/team/app/blobs/uploads/"],
      ["PATCH", "/v2/team/app/blobs/uploads/1"],
    ] as const) {
      expect((await send(gate.url + path, method, { ...cookie, ...headers })).status, method).toBe(writes);
    }
    expect(gate.seen).toHaveLength((reads === 200 ? 2 : 0) + (writes === 200 ? 3 : 0));
  });

  test("changes nothing with a password remembered by the browser, but may read", async () => {
    const gate = await gateWithSessions();
    const remembered = { authorization: alice, "sec-fetch-site": "cross-site" };
    expect(await send(gate.url + manifest, "PUT", remembered)).toMatchObject({ status: 403 });
    expect(await send(gate.url + tags, "GET", remembered)).toMatchObject({ status: 200 });
    expect(await send(gate.url + manifest, "PUT", { authorization: alice })).toMatchObject({ status: 200 });
    await expect.poll(() => gate.records.length).toBe(3);
    expect(gate.records[0]).toMatchObject({
      decision: "denied",
      reason: "sent by a page of another origin",
      username: "alice",
    });
  });
});

test("sandboxes responses in a session, and keeps them out of shared caches", async () => {
  const gate = await gateWithSessions();
  const confined = {
    "cache-control": "private, no-cache",
    "content-security-policy": "sandbox; default-src 'none'",
    "x-content-type-options": "nosniff",
  };
  expect((await send(gate.url + tags, "GET", cookie)).headers).toMatchObject(confined);
  const { headers } = await send(gate.url + tags, "GET", { authorization: alice });
  expect(headers["cache-control"]).toBe("max-age=31536000");
  expect(headers).not.toHaveProperty("content-security-policy");
});
