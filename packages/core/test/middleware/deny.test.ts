import { expect, test } from "vitest";
import type { AccessRule } from "../../src/index.ts";
import { errorCode, send } from "./client.ts";
import { alice, startGate, startUpstream } from "./servers.ts";

const sha256 = `sha256:${"0f".repeat(32)}`;
const all: AccessRule = { subjects: ["authenticated"], repositories: ["**"], actions: ["*"] };

async function startScene(...denials: Omit<AccessRule, "effect">[]) {
  const seen: string[] = [];
  const upstream = await startUpstream((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    request.resume();
    response.writeHead(request.method === "POST" ? 202 : 200).end();
  });
  const gate = await startGate({
    upstream,
    access: [all, ...denials.map((denial) => ({ ...denial, effect: "deny" as const }))],
    // A session knows somebody too.
    session: (request) =>
      request.headers.cookie === "as=alice"
        ? { subject: "alice", username: "alice", groups: [], backend: "session" }
        : undefined,
  });
  return { gate, seen };
}

test("denies an access of a deny rule although another rule allows it, and records the rule", async () => {
  const { gate, seen } = await startScene({ subjects: ["user:alice"], repositories: ["secret/**"], actions: ["pull"] });
  const denied = await send(gate.port, { path: "/v2/secret/app/manifests/v1" });
  expect([denied.status, errorCode(denied)]).toEqual([403, "DENIED"]);
  expect(seen).toEqual([]);
  expect(gate.records.at(-1)).toMatchObject({ decision: "denied", reason: "denied by access[1]" });
  expect((await send(gate.port, { path: "/v2/team/app/manifests/v1" })).status).toBe(200);
  const bob = await send(gate.port, { path: "/v2/secret/app/manifests/v1", headers: { "x-test-user": "bob" } });
  expect(bob.status).toBe(200);
});

test("denies users of a session and of single sign-on like any other", async () => {
  const { gate } = await startScene({ subjects: ["user:alice", "group:dev"], repositories: ["**"], actions: ["*"] });
  const url = `${gate.url}/v2/team/app/manifests/v1`;
  const ways: Record<string, string>[] = [{ authorization: alice }, { cookie: "as=alice" }, { "x-test-user": "carol" }];
  for (const headers of ways) expect((await fetch(url, { headers })).status).toBe(403);
});

test("turns a mount from a denied repository into an upload", async () => {
  const { gate, seen } = await startScene({ subjects: ["user:alice"], repositories: ["secret/**"], actions: ["pull"] });
  const path = `/v2/team/app/blobs/uploads/?mount=${sha256}&from=secret/app`;
  expect((await send(gate.port, { method: "POST", path })).status).toBe(202);
  expect(seen).toEqual(["POST /v2/team/app/blobs/uploads/"]);
});

test("includes deny rules in permissions()", async () => {
  const { gate } = await startScene({ subjects: ["user:alice"], repositories: ["team/**"], actions: ["delete"] });
  const permissions = (username: string) => {
    const identity = { subject: username, username, groups: [], backend: "portal" };
    return gate.proxy.permissions({ kind: "user", identity, via: "session" }, "team/app");
  };
  expect(permissions("alice")).toEqual({ pull: true, push: true, delete: false });
  expect(permissions("bob").delete).toBe(true);
});

test("responds with 401 to a denied anonymous caller", async () => {
  const { gate } = await startScene({ subjects: ["anonymous"], repositories: ["**"], actions: ["*"] });
  expect((await fetch(`${gate.url}/v2/team/app/manifests/v1`)).status).toBe(401);
  expect(gate.records.at(-1)).toMatchObject({ decision: "unauthenticated", reason: "denied by access[1]" });
});
