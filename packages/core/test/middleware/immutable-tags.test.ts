import { expect, test } from "vitest";
import { errorCode, send } from "./client.ts";
import { startGate, startUpstream } from "./servers.ts";

const access = [
  { subjects: ["authenticated"], repositories: ["**"], actions: ["pull", "push"], immutableTags: ["v*"] },
] as const;

/** Puts a manifest to a registry that answers a HEAD with `status`, and tells what came of it and what it was sent. */
async function push(status: number, path: string) {
  const seen: string[] = [];
  const upstream = await startUpstream((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    request.resume();
    response.writeHead(request.method === "HEAD" ? status : 201).end();
  });
  const gate = await startGate({ upstream, access });
  const answer = await send(gate.port, { method: "PUT", path, body: "{}" });
  return { answer, seen };
}

const target = "/v2/team/app/manifests/v1";

test("a tag that the registry does not have is written", async () => {
  const { answer, seen } = await push(404, target);
  expect(answer.status).toBe(201);
  expect(seen).toEqual([`HEAD ${target}`, `PUT ${target}`]);
});

test("a tag that the registry has is not, and its registry is not sent the manifest", async () => {
  const { answer, seen } = await push(200, target);
  expect([answer.status, errorCode(answer)]).toEqual([403, "DENIED"]);
  expect(seen).toEqual([`HEAD ${target}`]);
});

test.each([204, 301, 307, 400, 401, 403, 405, 429, 500, 503])(
  "a registry that answers %d says neither yes nor no, and nothing is written",
  async (status) => {
    const { answer, seen } = await push(status, target);
    expect([answer.status, errorCode(answer)]).toEqual([502, "UNAVAILABLE"]);
    expect(seen).toEqual([`HEAD ${target}`]);
  },
);

test("each protected tag is asked for that a manifest is put under by its digest, and no other", async () => {
  const digest = `sha256:${"ab".repeat(32)}`;
  const { answer, seen } = await push(404, `/v2/team/app/manifests/${digest}?tag=latest&tag=v1&tag=v2`);
  expect(answer.status).toBe(201);
  expect(seen).toEqual([
    "HEAD /v2/team/app/manifests/v1",
    "HEAD /v2/team/app/manifests/v2",
    `PUT /v2/team/app/manifests/${digest}?tag=latest&tag=v1&tag=v2`,
  ]);
});
