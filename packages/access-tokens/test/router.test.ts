import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { BackendUnavailableError } from "@registry-gate/auth";
import express from "express";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { type AccessTokensRouterOptions, accessTokens, createAccessTokens, type Device } from "../src/index.ts";
import { memoryState } from "./memory-state.ts";
import { alice, bob, openPeople } from "./people.ts";

const people = await openPeople();
afterAll(() => people.close());

const laptop: Device = { id: "d-1", createdAt: 0, lastUsed: 1000, client: "docker/29.0" };
const json = { "Content-Type": "application/json" };
const own = { "Sec-Fetch-Site": "same-origin" };

/** An app in which the header `X-User` is the session. */
async function startApp(
  options: Partial<AccessTokensRouterOptions> = {},
  before: readonly express.RequestHandler[] = [],
) {
  const state = memoryState();
  const manage = createAccessTokens({ state, backends: [people.users] });
  const app = express();
  app.use(...before, (_request, _response, next) => next());
  const userOf: AccessTokensRouterOptions["userOf"] = ({ headers }) =>
    [alice, bob].find(({ subject }) => subject === headers["x-user"]);
  app.use("/account/tokens", accessTokens({ manage, userOf, ...options }));
  app.use((_request, response) => void response.status(404).send("the app's own"));
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  // What listens on a port has an address with one.
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const send = (method: string, path: string, headers: Record<string, string>, body?: unknown): Promise<Response> =>
    fetch(`${url}/account/tokens${path}`, {
      method,
      headers: { "X-User": "alice", ...headers },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
  return { state, manage, send, url };
}

async function objectIn(response: Response): Promise<Readonly<Record<string, unknown>>> {
  const body = await response.json();
  if (typeof body !== "object" || body === null) throw new TypeError("the body is no object");
  return { ...body };
}

describe("the router of access tokens", () => {
  it("creates a token that it shows once, lists it, and revokes it", async () => {
    const { send } = await startApp();
    const request = {
      name: "laptop",
      expires: "30d",
      scopes: ["repository:team/**:pull,push"],
      networks: ["10.0.0.0/8"],
    };
    const created = await send("POST", "/", { ...json, ...own }, request);
    expect(created.status).toBe(201);
    expect(created.headers.get("cache-control")).toBe("no-store");
    const { token, ...shown } = await objectIn(created);
    expect(token).toMatch(/^rga_/);
    const { expires: _, ...kept } = request;
    expect(shown).toMatchObject(kept);
    const listed = await send("GET", "/", {});
    expect(await listed.json()).toEqual({ tokens: [shown] });
    expect((await send("DELETE", `/${shown.id}`, own)).status).toBe(204);
    expect(await (await send("GET", "", {})).json()).toEqual({ tokens: [] });
    expect((await send("DELETE", `/${shown.id}`, own)).status).toBe(404);
  });

  it("takes a body that the app has read already", async () => {
    const { send } = await startApp({}, [express.json()]);
    expect((await send("POST", "/", { ...json, ...own }, { name: "a", expires: "1h" })).status).toBe(201);
  });

  it("serves nobody who is not signed in", async () => {
    const { send } = await startApp();
    const nobody = { "X-User": "" };
    expect((await send("GET", "/", nobody)).status).toBe(401);
    expect((await send("POST", "/", { ...nobody, ...json, ...own }, { name: "a", expires: "1h" })).status).toBe(401);
    expect((await send("DELETE", "/0123456789abcdef", { ...nobody, ...own })).status).toBe(401);
  });

  it("neither lists nor revokes a token of another user", async () => {
    const { send, manage } = await startApp();
    const { accessToken } = await manage.create({ owner: bob, name: "a", expires: "1h" });
    expect(await (await send("GET", "/", {})).json()).toEqual({ tokens: [] });
    expect((await send("DELETE", `/${accessToken.id}`, own)).status).toBe(404);
    expect(await manage.list(bob)).toHaveLength(1);
  });

  it("creates for nobody else, whatever the body says", async () => {
    const { send } = await startApp();
    const body = { name: "a", expires: "1h", owner: bob };
    const response = await send("POST", "/", { ...json, ...own }, body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ errors: [{ code: "INVALID", detail: { path: ["owner"] } }] });
  });

  it("names every fault of what is asked for", async () => {
    const { send } = await startApp();
    const response = await send("POST", "/", { ...json, ...own }, { name: "a b", expires: "9999d", scopes: ["all"] });
    expect(response.status).toBe(400);
    const errors = [["name"], ["expires"], ["scopes", 0]].map((path) => ({ code: "INVALID", detail: { path } }));
    expect(await response.json()).toMatchObject({ errors });
  });

  it.each([
    ["of another site", { "Sec-Fetch-Site": "cross-site" }],
    ["of a sibling site", { "Sec-Fetch-Site": "same-site" }],
    ["of no page, which changes nothing", { "Sec-Fetch-Site": "none" }],
    ["of another origin", { Origin: "https://evil.example.com" }],
    ["of no origin that can be told", { Origin: "null" }],
    ["that does not say where it comes from", {}],
  ])("refuses to change anything for a request %s", async (_, headers) => {
    const { send, manage } = await startApp();
    const { accessToken } = await manage.create({ owner: alice, name: "a", expires: "1h" });
    expect((await send("POST", "/", { ...json, ...headers }, { name: "b", expires: "1h" })).status).toBe(403);
    expect((await send("DELETE", `/${accessToken.id}`, headers)).status).toBe(403);
    expect(await manage.list()).toHaveLength(1);
  });

  it("lists nothing for a page of another origin", async () => {
    const { send } = await startApp();
    expect((await send("GET", "/", { "Sec-Fetch-Site": "cross-site" })).status).toBe(403);
  });

  it("knows its own origin by the Host header, and by what it is told", async () => {
    const { send, url } = await startApp();
    const body = { name: "a", expires: "1h" };
    expect((await send("POST", "/", { ...json, Origin: url }, body)).status).toBe(201);
    const told = await startApp({ origin: "https://portal.example.com" });
    expect((await told.send("POST", "/", { ...json, Origin: told.url }, body)).status).toBe(403);
    expect((await told.send("POST", "/", { ...json, Origin: "https://portal.example.com" }, body)).status).toBe(201);
  });

  it.each(["text/plain", "application/x-www-form-urlencoded", "text/plain; application/json", "application/jsonx"])(
    "refuses a new token that is asked for as %s",
    async (type) => {
      const { send, manage } = await startApp();
      const headers = { "Content-Type": type, ...own };
      expect((await send("POST", "/", headers, { name: "a", expires: "1h" })).status).toBe(415);
      expect(await manage.list()).toEqual([]);
    },
  );

  it("refuses what is not JSON, and what is too long", async () => {
    const { send } = await startApp();
    expect((await send("POST", "/", { ...json, ...own }, "{")).status).toBe(400);
    expect((await send("POST", "/", { ...json, ...own }, " ".repeat(70_000))).status).toBe(413);
  });

  it("lists and revokes devices where it is given them, and for their owner alone", async () => {
    const revoked: unknown[] = [];
    const devices = {
      list: async (owner: { subject: string }) => (owner.subject === "alice" ? [laptop] : []),
      revoke: async (id: string, owner: unknown) => {
        revoked.push([id, owner]);
        return id === laptop.id;
      },
    };
    const { send } = await startApp({ devices });
    const shown = { ...laptop, createdAt: "1970-01-01T00:00:00.000Z", lastUsed: "1970-01-01T00:00:01.000Z" };
    expect(await (await send("GET", "/devices", {})).json()).toEqual({ devices: [shown] });
    expect(await (await send("GET", "/devices", { "X-User": "bob" })).json()).toEqual({ devices: [] });
    expect((await send("DELETE", "/devices/d-1", {})).status).toBe(403);
    expect((await send("DELETE", "/devices/d-1", own)).status).toBe(204);
    expect((await send("DELETE", "/devices/d-2", own)).status).toBe(404);
    expect(revoked).toEqual([
      ["d-1", alice],
      ["d-2", alice],
    ]);
  });

  it("leaves to the app what is not its own", async () => {
    const { send } = await startApp();
    for (const path of ["/devices", "/other", "/0123456789abcdef/x", "/0123456789ABCDEF"]) {
      expect(await (await send("GET", path, {})).text()).toBe("the app's own");
    }
  });

  it("says which methods there are", async () => {
    const { send } = await startApp();
    expect((await send("PUT", "/", own)).headers.get("allow")).toBe("GET, POST");
    expect((await send("GET", "/0123456789abcdef", {})).headers.get("allow")).toBe("DELETE");
  });

  it("responds with 503 while tokens cannot be read, and leaves other errors to the app", async () => {
    const outage = async (): Promise<never> => Promise.reject(new BackendUnavailableError("people", "it is down"));
    const { manage } = await startApp();
    const { send } = await startApp({ manage: { ...manage, list: outage } });
    const response = await send("GET", "/", {});
    expect(response.status).toBe(503);
    expect(await response.text()).not.toContain("people");
  });
});
