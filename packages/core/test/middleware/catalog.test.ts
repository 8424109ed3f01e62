import { describe, expect, test } from "vitest";
import type { AccessRule } from "../../src/index.ts";
import { errorCode, send } from "./client.ts";
import { startGate, startUpstream } from "./servers.ts";

/**
 * A registry with many repositories, `r/000000` and so on, that says how it was asked.
 *
 * @param most Refuses to list more at once, as the distribution's registry does since version 2.8.2.
 */
async function startLargeRegistry(count: number, most = Number.POSITIVE_INFINITY) {
  const asked: { readonly n: number | undefined; readonly last: string | undefined }[] = [];
  const connections = new Set<unknown>();
  const port = await startUpstream((request, response) => {
    connections.add(request.socket);
    const { searchParams } = new URL(request.url ?? "", "http://registry");
    const n = searchParams.get("n");
    const last = searchParams.get("last");
    asked.push({ n: n === null ? undefined : Number(n), last: last ?? undefined });
    const size = n === null ? Math.min(100, most) : Number(n);
    if (size > most) {
      response.writeHead(400).end('{"errors":[{"code":"PAGINATION_NUMBER_INVALID"}]}');
      return;
    }
    const from = last === null ? 0 : Number(last.slice(2)) + 1;
    const repositories = Array.from({ length: Math.max(0, Math.min(size, count - from)) }, (_, index) =>
      repositoryAt(from + index),
    );
    const end = repositories.at(-1);
    if (from + repositories.length < count) {
      response.setHeader("Link", `</v2/_catalog?last=${encodeURIComponent(end ?? "")}&n=${size}>; rel="next"`);
    }
    response.end(JSON.stringify({ repositories }));
  });
  return { port, asked, connections };
}

function repositoryAt(index: number): string {
  return `r/${String(index).padStart(6, "0")}`;
}

const pull = (subject: string, ...repositories: string[]): AccessRule => ({
  subjects: [subject],
  repositories,
  actions: ["pull"],
});

async function page(port: number, path: string, headers: Record<string, string> = {}) {
  const response = await send(port, { path, headers });
  const { link } = response.headers;
  const next = /^<([^>]+)>; rel="next"$/.exec(typeof link === "string" ? link : "")?.[1];
  const names: unknown = response.status === 200 ? JSON.parse(response.body).repositories : undefined;
  return { response, next, names };
}

describe("a page of a catalog in which little is visible", () => {
  const visible = [repositoryAt(3), repositoryAt(150_000)];

  test.each([
    ["a registry without a limit of its own", undefined],
    ["the distribution's registry, which lists at most 1000 at once", 1000],
  ])("takes %s at most ten requests a page, and reveals no invisible name", async (_, most) => {
    const registry = await startLargeRegistry(200_000, most);
    const gate = await startGate({ upstream: registry.port, access: [pull("anonymous", ...visible)] });
    const found: unknown[] = [];
    let pages = 0;
    for (let path: string | undefined = "/v2/_catalog?n=1"; path !== undefined; pages++) {
      registry.connections.clear();
      const before = registry.asked.length;
      const { response, next, names }: Awaited<ReturnType<typeof page>> = await page(gate.port, path);
      expect(response.status).toBe(200);
      expect(registry.asked.length - before).toBeLessThanOrEqual(10);
      expect(registry.connections.size).toBeLessThanOrEqual(10);
      // Nothing but what is visible is named, be it as the place to go on from.
      expect(`${response.body}${next}`.match(/r(?:\/|%2F)\d+/g) ?? []).toEqual(
        pages === 0 ? ["r/000003"].concat(next?.includes("~") ? [] : ["r%2F000003"]) : names,
      );
      found.push(...(Array.isArray(names) ? names : []));
      path = next;
    }
    expect(found).toEqual(visible);
    for (const { n = 0 } of registry.asked) expect(n).toBeLessThanOrEqual(5000);
  });

  test("refuses a sealed position of the catalog from another caller", async () => {
    const registry = await startLargeRegistry(100_000);
    const gate = await startGate({ upstream: registry.port, access: [pull("authenticated", repositoryAt(99_999))] });
    const { next = "" } = await page(gate.port, "/v2/_catalog?n=1");
    expect(next).toMatch(/^\/v2\/_catalog\?last=~[A-Za-z0-9_-]+&n=1$/);
    const before = registry.asked.length;
    const foreign = await page(gate.port, next, { "x-test-user": "bob" });
    expect([foreign.response.status, errorCode(foreign.response)]).toEqual([400, "PAGINATION_NUMBER_INVALID"]);
    for (const last of ["~", "~AAAA", `${next.slice("/v2/_catalog?last=".length, -10)}`]) {
      expect((await page(gate.port, `/v2/_catalog?n=1&last=${last}`)).response.status).toBe(400);
    }
    expect(registry.asked).toHaveLength(before);
    expect((await page(gate.port, next)).response.status).toBe(200);
    expect(gate.records.map(({ decision, status }) => [decision, status])).toContainEqual(["refused", 400]);
  });

  test("accepts a sealed position of the catalog after the rules changed to everything", async () => {
    const registry = await startLargeRegistry(100_000);
    const few = await startGate({ upstream: registry.port, access: [pull("authenticated", repositoryAt(99_999))] });
    const all = await startGate({ upstream: registry.port, access: [pull("authenticated", "**")] });
    const { next = "" } = await page(few.port, "/v2/_catalog?n=2");
    const { response, names } = await page(all.port, next);
    expect(response.status).toBe(200);
    // Ten pages of 100, 1000 and then 5000 each were looked through.
    expect(names).toEqual([repositoryAt(41_100), repositoryAt(41_101)]);
  });
});

test.each([
  [undefined, undefined],
  ["1", 1],
  ["5000", 5000],
  ["5001", 5000],
  ["999999999", 5000],
])("sends n=%s as %s for a caller who can pull everything", async (n, travels) => {
  const registry = await startLargeRegistry(10_000);
  const gate = await startGate({ upstream: registry.port, access: [pull("authenticated", "**")] });
  await page(gate.port, n === undefined ? "/v2/_catalog" : `/v2/_catalog?n=${n}`);
  expect(registry.asked).toEqual([{ n: travels, last: undefined }]);
});

test("hides denied repositories from the catalog", async () => {
  const registry = await startLargeRegistry(6);
  const access: AccessRule[] = [
    pull("authenticated", "**"),
    { effect: "deny", subjects: ["user:alice"], repositories: ["r/000001", "r/000004"], actions: ["*"] },
  ];
  const gate = await startGate({ upstream: registry.port, access });
  expect((await page(gate.port, "/v2/_catalog")).names).toEqual([0, 2, 3, 5].map(repositoryAt));
  expect((await page(gate.port, "/v2/_catalog", { "x-test-user": "bob" })).names).toHaveLength(6);
});
