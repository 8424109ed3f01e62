import type { Principal } from "@registry-gate/auth";
import { expect, onTestFinished, test } from "vitest";
import type { AccessRule, RegistryReadResult } from "../../src/index.ts";
import { startGate, startUpstream } from "../middleware/servers.ts";

const digest = `sha256:${"a".repeat(64)}`;

const access: readonly AccessRule[] = [
  { subjects: ["user:alice"], repositories: ["**"], actions: ["pull"] },
  { subjects: ["user:bob"], repositories: ["bob/**"], actions: ["pull", "push"] },
];

function user(username: string): Principal {
  return { kind: "user", identity: { subject: username, username, groups: [], backend: "portal" }, via: "session" };
}

/** A gate before a registry that notes what it is asked. */
async function stage() {
  const asked: string[] = [];
  const upstream = await startUpstream((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.accept} ${request.headers.authorization}`);
    const { pathname, searchParams } = new URL(request.url ?? "", "http://registry");
    if (pathname === "/v2/_catalog") return response.end('{"repositories":["bob/tool","team/app","team/lib"]}');
    if (pathname.endsWith("/tags/list")) {
      if (searchParams.get("last") === null) {
        response.setHeader("Link", `<http://registry.internal:5000${pathname}?last=b&n=2>; rel="next"`);
      }
      return response.end('{"tags":["a","b"]}');
    }
    if (request.method === "HEAD") return response.setHeader("Docker-Content-Digest", digest).end();
    return response.end("x".repeat(100));
  });
  const { proxy } = await startGate({ upstream, access });
  const signal = AbortSignal.timeout(30_000);
  const read = (who: Principal, target: string, more = {}): Promise<RegistryReadResult> =>
    proxy.read(who, { target, ...more }, signal);
  return { asked, proxy, read };
}

test("what a principal may read is read, and the registry is asked for nothing else", async () => {
  const { asked, read } = await stage();
  expect(await read(user("alice"), "/v2/team/app/manifests/latest", { method: "HEAD" })).toMatchObject({
    outcome: "read",
    status: 200,
    headers: { "docker-content-digest": digest },
    body: "",
  });
  expect(await read(user("alice"), `/v2/team/app/blobs/${digest}`, { accept: "application/json" })).toMatchObject({
    body: "x".repeat(100),
  });
  const denied = { outcome: "denied", reason: "no rule allows pull on team/app" };
  for (const target of ["tags/list", "manifests/latest", `blobs/${digest}`, `referrers/${digest}`]) {
    expect(await read(user("bob"), `/v2/team/app/${target}`)).toEqual(denied);
    expect(await read({ kind: "anonymous" }, `/v2/team/app/${target}`)).toMatchObject({ outcome: "denied" });
  }
  expect(asked).toEqual([
    "HEAD /v2/team/app/manifests/latest */* undefined",
    `GET /v2/team/app/blobs/${digest} application/json undefined`,
  ]);
});

test("a list has the names and the next page that a client would get", async () => {
  const { read } = await stage();
  expect(await read(user("bob"), "/v2/_catalog?n=5")).toMatchObject({ body: '{"repositories":["bob/tool"]}' });
  expect(await read(user("alice"), "/v2/_catalog")).toMatchObject({
    body: '{"repositories":["bob/tool","team/app","team/lib"]}',
  });
  expect(await read(user("bob"), "/v2/bob/tool/tags/list?n=2")).toMatchObject({
    headers: { link: '</v2/bob/tool/tags/list?last=b&n=2>; rel="next"' },
  });
});

test("grants of a login cut what is read", async () => {
  const { read } = await stage();
  const limited: Principal = { ...user("alice"), grants: [{ type: "repository", name: "team/app", action: "pull" }] };
  expect(await read(limited, "/v2/team/app/tags/list")).toMatchObject({ outcome: "read" });
  expect(await read(limited, "/v2/team/lib/tags/list")).toMatchObject({ outcome: "denied" });
});

test.each([
  "/v2/",
  "/v2/team/app/blobs/uploads/x",
  "/v2/team/app/manifests/../../secret",
  "/v2/TEAM/app/tags/list",
  "/elsewhere",
  "http://elsewhere/v2/team/app/tags/list",
  "",
])("%j is refused, and the registry is not asked", async (target) => {
  const { asked, read } = await stage();
  expect(await read(user("alice"), target)).toMatchObject({ outcome: "refused" });
  expect(asked).toEqual([]);
});

test("a body beyond the limit, a registry that is gone and a reader that is gone reject", async () => {
  const { read } = await stage();
  await expect(read(user("alice"), `/v2/team/app/blobs/${digest}`, { maxBytes: 99 })).rejects.toThrow(
    "more than 99 bytes",
  );
  const { proxy } = await startGate({ upstream: { url: "http://127.0.0.1:1" }, access });
  onTestFinished(() => proxy.close());
  const target = "/v2/team/app/tags/list";
  await expect(proxy.read(user("alice"), { target }, AbortSignal.timeout(30_000))).rejects.toThrow("ECONNREFUSED");
  const gone = new Error("gone");
  await expect(proxy.read(user("alice"), { target }, AbortSignal.abort(gone))).rejects.toBe(gone);
});
