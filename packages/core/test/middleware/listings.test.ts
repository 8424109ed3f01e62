import type { OutgoingHttpHeaders } from "node:http";
import { type EmbeddedRegistry, startEmbeddedRegistry } from "@registry-gate/embedded-registry";
import { beforeAll, describe, expect, test } from "vitest";
import type { AccessRule } from "../../src/index.ts";
import { errorCode, send } from "./client.ts";
import { startGate, startUpstream, type TestGate } from "./servers.ts";

const everything: AccessRule = { subjects: ["authenticated"], repositories: ["**"], actions: ["*"] };
const digest = `sha256:${"0".repeat(64)}`;

/** Follows `Link` as clients do: resolved against the request, and as it is. */
async function follow(gate: TestGate, path: string, headers: OutgoingHttpHeaders = {}): Promise<unknown[]> {
  const bodies: unknown[] = [];
  for (let url: URL | undefined = new URL(path, gate.url); url !== undefined; ) {
    const response = await send(gate.port, { path: url.pathname + url.search, headers });
    expect(response.status).toBe(200);
    bodies.push(JSON.parse(response.body));
    expect(bodies.length).toBeLessThan(50);
    const link = response.headers.link;
    const target = /^<([^>]*)>; rel="next"$/.exec(typeof link === "string" ? link : "")?.[1];
    if (link !== undefined) expect(target).toMatch(/^\/v2\//);
    url = target === undefined ? undefined : new URL(target, url);
    // Whoever reads the link finds the gate.
    expect(url?.origin ?? gate.url).toBe(gate.url);
  }
  return bodies;
}

const linkOf = ({ headers: { link } }: { headers: OutgoingHttpHeaders }): string =>
  /^<([^>]*)>/.exec(typeof link === "string" ? link : "")?.[1] ?? "";

describe.each(["absolute", "relative"] as const)("a registry that names its pages itself, by %s links", (locations) => {
  let registry: EmbeddedRegistry;
  beforeAll(async () => {
    registry = await startEmbeddedRegistry({ pages: "opaque", locations });
    for (const repository of ["team/a", "team/b", "secret/c", "team/d", "zzz/e"]) {
      for (const tag of ["1", "2", "3", "4", "5"]) await push(repository, tag);
    }
    return () => registry.close();
  });

  async function push(repository: string, tag: string): Promise<void> {
    const index = { schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: [] };
    const response = await fetch(`${registry.url}/v2/${repository}/manifests/${tag}`, {
      method: "PUT",
      headers: { "content-type": index.mediaType },
      body: JSON.stringify(index),
    });
    expect(response.status).toBe(201);
  }

  test("lists all tags to a client that follows Link as it is", async () => {
    const gate = await startGate({ upstream: registry.port, access: [everything] });
    const pages = await follow(gate, "/v2/team/a/tags/list?n=2");
    expect(pages).toEqual([["1", "2"], ["3", "4"], ["5"]].map((tags) => ({ name: "team/a", tags })));
    const targets = registry.requests.slice(-3).map(({ url }) => url);
    expect(targets[0]).toBe("/v2/team/a/tags/list?n=2");
    // What the registry had named comes back as it was.
    for (const target of targets.slice(1)) expect(target).toMatch(/^\/v2\/team\/a\/tags\/list\?n=2&next_page=[\w%]+$/);
  });

  test("lists the whole catalog or the visible part of it", async () => {
    const all = await startGate({ upstream: registry.port, access: [everything] });
    expect(await follow(all, "/v2/_catalog?n=2")).toEqual(
      [["secret/c", "team/a"], ["team/b", "team/d"], ["zzz/e"]].map((repositories) => ({ repositories })),
    );
    const some = await startGate({ upstream: registry.port, access: [{ ...everything, repositories: ["team/**"] }] });
    for (const n of [1, 2, 3, 5]) {
      const pages = await follow(some, `/v2/_catalog?n=${n}`);
      expect(JSON.stringify(pages)).not.toMatch(/secret|zzz/);
      expect(JSON.stringify(pages).match(/team\/\w/g)).toEqual(["team/a", "team/b", "team/d"]);
    }
  });

  test("never gets a page of another listing, or a query made up by a client", async () => {
    const gate = await startGate({ upstream: registry.port, access: [everything] });
    const next = linkOf(await send(gate.port, { path: "/v2/team/a/tags/list?n=2" }));
    const last = new URL(next, gate.url).searchParams.get("last") ?? "";
    expect(last).toMatch(/^~/);
    const before = registry.requests.length;
    const changed = `${last.slice(0, -1)}${last.endsWith("A") ? "B" : "A"}`;
    for (const path of [
      `/v2/team/b/tags/list?last=${last}`,
      `/v2/_catalog?last=${last}`,
      `/v2/team/a/referrers/${digest}?last=${last}`,
      `/v2/team/a/tags/list?last=${changed}`,
      "/v2/team/a/tags/list?last=~",
      `/v2/team/a/tags/list?last=~${"A".repeat(400)}`,
    ]) {
      const response = await send(gate.port, { path });
      expect([response.status, errorCode(response)], path).toEqual([400, "PAGINATION_NUMBER_INVALID"]);
    }
    // A parameter that is not the gate's is dropped, as ever.
    await send(gate.port, { path: "/v2/team/a/tags/list?next_page=x" });
    expect(registry.requests.slice(before).map(({ url }) => url)).toEqual(["/v2/team/a/tags/list"]);
  });

  test("is read to the last page before the content of an immutable tag is deleted", async () => {
    const rule: AccessRule = { ...everything, immutableTags: ["5"] };
    const gate = await startGate({ upstream: registry.port, access: [rule] });
    const { headers } = await send(gate.port, { method: "HEAD", path: "/v2/team/d/manifests/5" });
    // Fifty tags a page: the immutable one is on the second.
    for (let tag = 10; tag < 70; tag++) await push("team/d", `${tag}`);
    const path = `/v2/team/d/manifests/${headers["docker-content-digest"]}`;
    const response = await send(gate.port, { method: "DELETE", path });
    expect([response.status, errorCode(response)]).toEqual([403, "DENIED"]);
  });
});

describe("the Link of a listing", () => {
  async function gateBefore(
    link: string,
    status = 200,
  ): Promise<{ gate: TestGate; asked: string[]; reloaded: () => Promise<TestGate> }> {
    const asked: string[] = [];
    const upstream = await startUpstream(({ url = "" }, response) => {
      asked.push(url);
      response.writeHead(status, { "Content-Type": "application/json", Link: link }).end('{"tags":[],"manifests":[]}');
    });
    const start = (): Promise<TestGate> => startGate({ upstream, access: [everything] });
    return { gate: await start(), asked, reloaded: start };
  }

  const tags = "/v2/team/app/tags/list";
  const referrers = `/v2/team/app/referrers/${digest}`;

  test.each<[what: string, asked: string, link: string, expected: string]>([
    [
      "by the distribution's parameters stays",
      `${tags}?n=2`,
      `<${tags}?last=b&n=2>; rel="next"`,
      `<${tags}?last=b&n=2>; rel="next"`,
    ],
    [
      "that is absolute becomes the gate's own",
      `${tags}?n=2`,
      `<http://registry.internal:5000${tags}?n=2&last=b>; rel="next"; title="x"`,
      `<${tags}?n=2&last=b>; rel="next"`,
    ],
    ["that is a query alone becomes a path", `${tags}?n=2`, "<?last=b>; rel=next", `<${tags}?last=b>; rel="next"`],
    [
      "of referrers keeps what they were asked for by",
      `${referrers}?artifactType=a%2Fb&ns=mirror.example.com`,
      `<${referrers}?artifactType=a%2Fb&last=x&ns=mirror.example.com>; rel="next"`,
      `<${referrers}?artifactType=a%2Fb&last=x&ns=mirror.example.com>; rel="next"`,
    ],
  ])("%s", async (_, path, link, expected) => {
    const { gate } = await gateBefore(link);
    expect((await send(gate.port, { path })).headers.link).toBe(expected);
  });

  test.each<[what: string, path: string, query: string]>([
    ["with a token", tags, "n=2&next_page=gAAAA%2B%2F%3D"],
    ["with more than the distribution's parameters", tags, "last=b&n=2&orderby="],
    ["with a name that looks sealed", tags, "last=~b"],
    ["with a parameter twice", tags, "last=a&last=b"],
    ["with a place that is too long for a name", tags, `last=${"a".repeat(3000)}`],
    ["with characters that the gate does not take", tags, "next={a|b};c='d'&e"],
    ["of referrers", referrers, "artifactType=a%2Fb&cursor=1"],
  ])("%s is sealed, and reaches the registry unchanged", async (_, path, query) => {
    const { gate, asked } = await gateBefore(`<https://registry.internal${path}?${query}>; rel="next"`);
    const response = await send(gate.port, { path: `${path}?n=7` });
    const next = linkOf(response);
    expect(next).toMatch(new RegExp(`^${path}\\?n=7&last=~[\\w-]+$`));
    expect((await send(gate.port, { path: next })).status).toBe(200);
    expect(asked.at(-1)).toBe(`${path}?${query}`);
  });

  test("keeps the parameter ns, also where the mirror's own link omits it", async () => {
    const { gate, asked } = await gateBefore(`<${tags}?next_page=x>; rel="next"`);
    const next = linkOf(await send(gate.port, { path: `${tags}?ns=mirror.example.com` }));
    expect(next).toMatch(/&ns=mirror\.example\.com$/);
    await send(gate.port, { path: next });
    expect(asked.at(-1)).toBe(`${tags}?next_page=x&ns=mirror.example.com`);
  });

  test.each([
    ["to another repository", '</v2/team/other/tags/list?last=b>; rel="next"'],
    ["to another listing", '</v2/_catalog?last=b>; rel="next"'],
    ["out of the API", '<https://registry.internal/login?next=x>; rel="next"'],
    ["to the same page", `<${tags}>; rel="next"`],
    ["nowhere", '<http://[>; rel="next"'],
    ["further than can be carried", `<${tags}?next_page=${"x".repeat(5000)}>; rel="next"`],
    ["in a way that cannot be understood", `${tags}?last=b; rel="next"`],
  ])("that leads %s is 502: the listing would look complete without it", async (_, link) => {
    const { gate } = await gateBefore(link);
    const response = await send(gate.port, { path: tags });
    expect([response.status, errorCode(response)]).toEqual([502, "UNAVAILABLE"]);
    expect(JSON.stringify(response)).not.toContain("registry.internal");
    await expect.poll(() => gate.records[0]).toMatchObject({ outcome: "upstream-error", decision: "allowed" });
    expect(gate.logged()).toContain("the registry did not respond as expected");
  });

  test.each([
    ["that leads elsewhere than on", 200, tags, `<${tags}?last=b>; rel="prev", </x>; rel="help"`],
    ["of an error", 404, tags, `<http://registry.internal${tags}?last=b>; rel="next"`],
    ["of what is no listing", 200, "/v2/team/app/manifests/v1", "<http://registry.internal/x>; rel=next"],
  ])("%s is dropped", async (_, status, path, link) => {
    const { gate } = await gateBefore(link, status);
    const response = await send(gate.port, { path });
    expect(response.status).toBe(status);
    expect(response.headers).not.toHaveProperty("link");
  });

  test("works after a reload, with another gate of the same process", async () => {
    const { gate, asked, reloaded } = await gateBefore(`<${tags}?next_page=x>; rel="next"`);
    const next = linkOf(await send(gate.port, { path: tags }));
    const second = await reloaded();
    expect((await send(second.port, { path: next })).status).toBe(200);
    expect(asked).toEqual([tags, `${tags}?next_page=x`]);
  });
});

test("a page named by one registry is not requested from another one", async () => {
  const heard: (string | undefined)[] = [];
  const gateOf = async (): Promise<TestGate> => {
    const upstream = await startUpstream(({ url }, response) => {
      heard.push(url);
      response.setHeader("Link", `<?words=of-its-own>; rel="next"`).end('{"name":"team/app","tags":[]}');
    });
    return startGate({ upstream, access: [everything] });
  };
  const [one, other] = [await gateOf(), await gateOf()];
  const path = linkOf(await send(one.port, { path: "/v2/team/app/tags/list" }));
  const response = await send(other.port, { path });
  expect([response.status, errorCode(response)]).toEqual([400, "PAGINATION_NUMBER_INVALID"]);
  expect((await send(one.port, { path })).status).toBe(200);
  expect(heard).toEqual(["/v2/team/app/tags/list", "/v2/team/app/tags/list?words=of-its-own"]);
});
