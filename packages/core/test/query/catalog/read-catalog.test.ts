import { describe, expect, test, vi } from "vitest";
import type { Upstream } from "../../../src/forward/upstream.ts";
import { UpstreamFault } from "../../../src/forward/upstream-fault.ts";
import type { CatalogPlace } from "../../../src/query/catalog/catalog-place.ts";
import { catalogReader } from "../../../src/query/catalog/read-catalog.ts";
import type { QueryResponse, UpstreamQuery } from "../../../src/query/query.ts";

/** An upstream that responds to every query alike. */
function registryWith({ link, ...response }: Partial<Omit<QueryResponse, "headers">> & { link?: string | undefined }) {
  const query = vi.fn(async (_query: UpstreamQuery, _signal: AbortSignal) => ({
    status: 200,
    headers: { link },
    body: '{"repositories":["a","b"]}',
    ...response,
  }));
  const upstream: Upstream = { url: new URL("http://registry:5000"), query, send: vi.fn(), close: vi.fn() };
  return { query, read: catalogReader(upstream).begin("client", new AbortController().signal) };
}

test("requests the names after an encoded last", async () => {
  const { query, read } = registryWith({});
  await read(1000, { last: "team/app&n=1" });
  expect(query.mock.calls[0]?.[0]).toMatchObject({
    method: "GET",
    target: "/v2/_catalog?n=1000&last=team%2Fapp%26n%3D1",
  });
  await read(10, {});
  expect(query.mock.calls[1]?.[0]).toMatchObject({ target: "/v2/_catalog?n=10" });
});

describe("the next position is", () => {
  test.each<[what: string, link: string | undefined, next: CatalogPlace | undefined]>([
    ["nowhere without a Link", undefined, undefined],
    ["what a relative Link says", '</v2/_catalog?last=b&n=2>; rel="next"', { last: "b" }],
    [
      "what an absolute Link says",
      '<http://registry:5000/v2/_catalog?n=2&last=team%2Fapp>; rel="next"',
      { last: "team/app" },
    ],
    ["what a Link without quotes says", "</v2/_catalog?last=b>; rel=next", { last: "b" }],
    ["what a Link with more parameters says", '</v2/_catalog?last=c>; title="x, y"; rel="next"', { last: "c" }],
    [
      "what the one of several Links says that leads on",
      '</v2/>; rel="first", </v2/_catalog?last=c>; rel="last next"',
      { last: "c" },
    ],
    ["nowhere, where the Link leads elsewhere", '</v2/_catalog?last=b>; rel="prev"', undefined],
    [
      "the page that the registry has named",
      '</v2/_catalog?n=2&next_page=a%2Bb>; rel="next"',
      { query: "n=2&next_page=a%2Bb" },
    ],
    [
      "the page that it has named beside the name",
      '</v2/_catalog?last=b&orderby=>; rel="next"',
      { query: "last=b&orderby=" },
    ],
    ["a page without a name", "<?n=2>; rel=next", { query: "n=2" }],
  ])("%s", async (_, link, next) => {
    const page = await registryWith({ link }).read(2, {});
    expect(page === "too-many" || page.next).toEqual(next);
  });

  test.each([
    ["says nothing", '</v2/_catalog>; rel="next"'],
    ["is malformed", "last=b"],
    ["is of another listing", '</v2/team/app/tags/list?last=b>; rel="next"'],
  ])("an error where the Link %s: the catalog would look complete", async (_, link) => {
    await expect(registryWith({ link }).read(2, {})).rejects.toMatchObject({ response: { status: 502 } });
  });
});

test("requests a page named by the registry with its own query, and skips names already returned", async () => {
  const { query, read } = registryWith({});
  expect(await read(1000, { query: "next_page=x%2Fy&n=2" })).toMatchObject({ repositories: ["a", "b"] });
  expect(query.mock.calls[0]?.[0]).toMatchObject({ target: "/v2/_catalog?next_page=x%2Fy&n=2" });
  expect(await read(1000, { query: "next_page=x%2Fy&n=2", after: "a" })).toMatchObject({ repositories: ["b"] });
});

test("detects a registry that ignores last and starts again", async () => {
  expect(await registryWith({}).read(2, { last: "a" })).toEqual({ repositories: ["b"], next: undefined });
  expect(await registryWith({}).read(2, { last: "b" })).toEqual({ repositories: [], next: undefined });
});

test("accepts every form of an empty catalog", async () => {
  for (const body of ['{"repositories":[]}', '{"repositories":null}']) {
    expect(await registryWith({ body }).read(2, {})).toEqual({ repositories: [], next: undefined });
  }
});

test.each([
  "",
  "{",
  "null",
  "[]",
  '"x"',
  "{}",
  '{"repositories":"a"}',
  '{"repositories":["a",1]}',
  '{"repositories":{}}',
])("rejects %j as a catalog", async (body) => {
  await expect(registryWith({ body }).read(2, {})).rejects.toMatchObject({ response: { status: 502 } });
});

/** The distribution's registry, which refuses to list more than `most` at once; since version 2.8.2, 1000 by default. */
function limited(most: number) {
  const asked: (number | undefined)[] = [];
  const query = vi.fn(async ({ target }: UpstreamQuery, _signal: AbortSignal): Promise<QueryResponse> => {
    const size = new URL(target, "http://registry").searchParams.get("n");
    asked.push(size === null ? undefined : Number(size));
    const refused = size !== null && Number(size) > most;
    const body = refused ? '{"errors":[{"code":"PAGINATION_NUMBER_INVALID"}]}' : '{"repositories":["a"]}';
    return { status: refused ? 400 : 200, headers: {}, body };
  });
  const upstream: Upstream = { url: new URL("http://registry:5000"), query, send: vi.fn(), close: vi.fn() };
  return { asked, reader: catalogReader(upstream) };
}

test.each<[most: number, asked: (number | undefined)[]]>([
  [5000, [5000]],
  [1000, [5000, 1000]],
  [999, [5000, 1000, 100]],
  [50, [5000, 1000, 100, undefined]],
])(
  "a registry that lists at most %d at once is asked for %j, and from then on for what it gives",
  async (most, sizes) => {
    const { asked, reader } = limited(most);
    const { signal } = new AbortController();
    const read = reader.begin("client", signal);
    for (const _ of sizes.slice(1)) expect(await read(5000, {})).toBe("too-many");
    expect(await read(5000, {})).toMatchObject({ repositories: ["a"] });
    expect(asked).toEqual(sizes);
    await reader.begin("client", signal)(5000, {});
    expect(asked.slice(sizes.length)).toEqual(sizes.slice(-1));
  },
);

test("reduces the page size within one request only, where the registry refuses for another reason", async () => {
  const query = vi.fn(async () => ({ status: 400, headers: {}, body: "" }));
  const upstream: Upstream = { url: new URL("http://registry:5000"), query, send: vi.fn(), close: vi.fn() };
  const reader = catalogReader(upstream);
  const read = reader.begin("client", new AbortController().signal);
  for (let size = 0; size < 3; size++) expect(await read(5000, { last: "x" })).toBe("too-many");
  await expect(read(5000, { last: "x" })).rejects.toMatchObject({ response: { status: 404 } });
  await reader.begin("client", new AbortController().signal)(5000, { last: "x" });
  expect(query).toHaveBeenLastCalledWith(
    expect.objectContaining({ target: "/v2/_catalog?n=5000&last=x" }),
    expect.anything(),
  );
});

test.each([
  [404, 404],
  [401, 404],
  [403, 404],
  [500, 502],
  [503, 502],
  [302, 502],
  [204, 502],
])("a status %i of the registry becomes %i for the client", async (status, expected) => {
  const response = registryWith({ status }).read(2, {});
  await expect(response).rejects.toBeInstanceOf(UpstreamFault);
  await expect(response).rejects.toMatchObject({ response: { status: expected } });
});
