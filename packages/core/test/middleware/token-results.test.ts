import type { AuthBackend, AuthResult, Identity } from "@registry-gate/auth";
import { describe, expect, it } from "vitest";
import { startGate, startUpstream } from "./servers.ts";

const bob: Identity = { subject: "bob", username: "bob", groups: [], backend: "people" };
const pullOnly = [{ type: "repository", name: "team/app", action: "pull" }] as const;
const pushOnly = [{ type: "repository", name: "team/app", action: "push" }] as const;

/** Gives each Bearer token the result that stands beside it here. */
const results: Readonly<Record<string, AuthResult>> = {
  nobody: { status: "anonymous", grants: pullOnly },
  expired: { status: "authenticated", identity: bob, grants: pushOnly, uploadsOnly: true },
};

async function gate(session?: Identity) {
  let asked = 0;
  const tokens: AuthBackend = {
    id: "token",
    async authenticate({ credentials }) {
      asked += 1;
      return (credentials?.scheme === "bearer" && results[credentials.token]) || { status: "abstained" };
    },
    challenge: ({ error }) => ({ scheme: "Bearer", parameters: { realm: "r", ...(error !== undefined && { error }) } }),
  };
  const upstream = await startUpstream((request, response) => {
    request.resume();
    response.end();
  });
  const { url, records } = await startGate({
    upstream,
    backends: [tokens],
    access: [
      { subjects: ["anonymous"], repositories: ["team/*"], actions: ["pull"] },
      { subjects: ["user:bob"], repositories: ["**"], actions: ["*"] },
    ],
    ...(session !== undefined && { session: () => session }),
  });
  const send = async (token: string, path: string, method = "GET") => {
    const { status, headers } = await fetch(`${url}/v2/team/${path}`, {
      method,
      headers: { Authorization: `Bearer ${token}` },
    });
    return { status, challenge: headers.get("www-authenticate") };
  };
  return { send, records, asked: () => asked };
}

describe("a token that was issued to nobody", () => {
  it("allows what anonymous users may do, cut to its grants", async () => {
    const { send } = await gate();
    expect(await send("nobody", "app/tags/list")).toMatchObject({ status: 200 });
    expect(await send("nobody", "other/tags/list")).toEqual({
      status: 401,
      challenge: 'Bearer realm="r",error="insufficient_scope"',
    });
  });

  it("is shown to its backend once, and remembered then", async () => {
    const { send, asked } = await gate();
    await send("nobody", "app/tags/list");
    await send("nobody", "app/tags/list");
    expect(asked()).toBe(1);
  });

  it("does not become the user of a session", async () => {
    const { send } = await gate(bob);
    expect(await send("nobody", "other/tags/list")).toMatchObject({ status: 401 });
  });
});

describe("an expired login that counts for uploads", () => {
  const upload = "app/blobs/uploads/5f0c2b1e-0000-4000-8000-000000000000";

  it.each(["PATCH", "PUT", "GET", "DELETE"])("continues an upload with %s", async (method) => {
    const { send } = await gate();
    const query = method === "PUT" ? `?digest=sha256:${"0".repeat(64)}` : "";
    expect(await send("expired", `${upload}${query}`, method)).toMatchObject({ status: 200 });
  });

  it.each([
    ["POST", "app/blobs/uploads/"],
    ["PUT", "app/manifests/v1"],
    ["GET", "app/tags/list"],
    ["DELETE", "app/manifests/v1"],
  ])("is an invalid token for %s %s", async (method, path) => {
    const { send, records } = await gate();
    expect(await send("expired", path, method)).toEqual({
      status: 401,
      challenge: 'Bearer realm="r",error="invalid_token"',
    });
    await expect.poll(() => records.length).toBe(1);
    expect(records[0]).toMatchObject({ decision: "unauthenticated" });
  });

  it("keeps to its grants", async () => {
    const { send } = await gate();
    expect(await send("expired", upload.replace("app/", "other/"), "PATCH")).toMatchObject({ status: 401 });
  });
});
