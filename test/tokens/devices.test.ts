import { createServer, type IncomingMessage } from "node:http";
import { accessTokens, createAccessTokens } from "@registry-gate/access-tokens";
import type { AuthBackend, Identity } from "@registry-gate/auth";
import { memoryState } from "@registry-gate/state";
import { refreshTokens } from "@registry-gate/token";
import express from "express";
import { expect, onTestFinished, test } from "vitest";
import { listen } from "../support/listen.ts";

/** What docker's logins leave behind is what a portal shows as devices: two packages that do not know each other. */

const alice: Identity = { subject: "alice", username: "alice", groups: [], backend: "people" };
const people: AuthBackend = {
  id: "people",
  authenticate: async () => ({ status: "abstained" }),
  lookup: async (subject) => (subject === "alice" ? alice : undefined),
};

test("a user of a portal sees where docker has logged in, and ends one of these logins", async () => {
  const state = memoryState();
  const devices = refreshTokens({ store: state });
  const token = await devices.issue(alice, [people], "docker");
  const manage = createAccessTokens({ state, backends: [people] });
  const app = express();
  const userOf = ({ headers }: IncomingMessage) => ({ backend: "people", subject: String(headers["x-user"]) });
  app.use("/tokens", accessTokens({ manage, devices, userOf }));
  const server = createServer(app);
  const port = await listen(server);
  onTestFinished(() => void server.close());
  const send = (user: string, path: string, method = "GET"): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}/tokens${path}`, {
      method,
      headers: { "X-User": user, "Sec-Fetch-Site": "same-origin" },
    });
  const listed: unknown = await (await send("alice", "/devices")).json();
  expect(listed).toMatchObject({ devices: [{ client: "docker" }] });
  expect(await (await send("bob", "/devices")).json()).toEqual({ devices: [] });
  const [{ id } = { id: "" }] = await devices.list(alice);
  expect((await send("bob", `/devices/${id}`, "DELETE")).status).toBe(404);
  expect((await send("alice", `/devices/${id}`, "DELETE")).status).toBe(204);
  const redeemed = await devices.redeem(token ?? "", [people], AbortSignal.timeout(1000));
  expect(redeemed).toMatchObject({ kind: "invalid" });
});
