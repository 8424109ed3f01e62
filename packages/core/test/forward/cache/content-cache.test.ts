import { createHash } from "node:crypto";
import { expect, test, vi } from "vitest";
import { digestOf } from "../../../../../test/support/registry-content.ts";
import { cacheContent } from "../../../src/forward/cache/content-cache.ts";
import type { UpstreamRequest } from "../../../src/forward/transport.ts";
import {
  ask,
  blobRequest,
  deleteRequest,
  headOf,
  heldTransport,
  manifestRequest,
  respond,
  respondStatus,
  turns,
} from "./cached-transport.ts";
import { byDigest, content, digest, get, open, tag, underFakeTime } from "./opened-cache.ts";

const events = underFakeTime();

test("serves a tag and a digest from memory, with the headers of the registry but for Date", async () => {
  const opened = open();
  for (const request of [tag, byDigest]) {
    const first = await get(opened, request);
    const second = await get(opened, request);
    expect([first.cache, second.cache]).toEqual(["miss", "hit"]);
    expect(second).toMatchObject({ status: 200, body: content, state: "ended" });
    const { date: _, "docker-distribution-api-version": _version, ...headers } = headOf(content).headers;
    expect({ ...second.headers }).toEqual(headers);
  }
  expect(opened.registry.received).toHaveLength(2);
});

test("keeps blobs by sha256 and by sha512, and none of another algorithm", async () => {
  const sha512 = `sha512:${createHash("sha512").update(content).digest("hex")}`;
  const opened = open();
  for (const [reference, kept] of [
    [digest, true],
    [sha512, true],
    ["blake3:abcd", false],
  ] as const) {
    await get(opened, blobRequest("team/app", reference));
    expect((await get(opened, blobRequest("team/app", reference))).cache).toBe(kept ? "hit" : undefined);
  }
});

test("a manifest is not a blob, and no other repository has it", async () => {
  const opened = open();
  await get(opened, byDigest);
  for (const other of [blobRequest("team/app", digest), manifestRequest("team/app2", digest)]) {
    const got = ask(opened.cache, other);
    await turns();
    respondStatus(opened.registry.received.at(-1), 404);
    expect(got.status).toBe(404);
  }
});

test("a request with another Accept, Accept-Encoding, host or mirrored registry is another one", async () => {
  const opened = open();
  await get(opened, tag);
  const others = [
    manifestRequest("team/app", "latest", { accept: "application/json" }),
    manifestRequest("team/app", "latest", { "accept-encoding": "gzip" }),
    manifestRequest("team/app", "latest", { host: "other" }),
    manifestRequest("team/app", "latest", { "x-forwarded-host": "other" }),
    manifestRequest("team/app", "latest", { "x-forwarded-proto": "http" }),
    manifestRequest("team/app", "latest", { "oci-namespace": "docker.io" }),
    { ...tag, target: `${tag.target}?ns=docker.io` },
  ];
  for (const other of others) expect((await get(opened, other)).cache).toBe("miss");
  for (const other of others) expect((await get(opened, other)).cache).toBe("hit");
});

test("the order of what Accept lists makes no difference", async () => {
  const opened = open();
  await get(opened, manifestRequest("team/app", "latest", { accept: "a/b, c/d;q=0.5, e/f" }));
  const again = await get(opened, manifestRequest("team/app", "latest", { accept: "e/f, a/b, c/d;q=0.5" }));
  const other = await get(opened, manifestRequest("team/app", "latest", { accept: "e/f, a/b, c/d" }));
  expect([again.cache, other.cache]).toEqual(["hit", "miss"]);
});

test("asks the registry whether a tag has changed where ttl is over, and forgets the content where it has", async () => {
  const opened = open({ ttl: "1s" });
  await get(opened, tag);
  vi.advanceTimersByTime(999);
  expect((await get(opened, tag)).cache).toBe("hit");
  vi.advanceTimersByTime(1);
  const asked = ask(opened.cache, tag);
  await turns();
  expect(opened.registry.received.at(-1)?.request).toMatchObject({
    method: "GET",
    headers: { "if-none-match": `"${digest}"` },
  });
  respondStatus(opened.registry.received.at(-1), 304);
  await turns();
  expect(asked).toMatchObject({ status: 200, body: content, cache: "revalidated" });
  expect((await get(opened, tag)).cache).toBe("hit");
  vi.advanceTimersByTime(1000);
  expect(await get(opened, tag, "something new")).toMatchObject({ body: "something new", cache: "miss" });
  expect(await get(opened, tag)).toMatchObject({ body: "something new", cache: "hit" });
});

test("a tag that is gone is forgotten, and errors are not kept", async () => {
  const opened = open({});
  await get(opened, tag);
  for (const status of [404, 500]) {
    const got = ask(opened.cache, tag);
    await turns();
    respondStatus(opened.registry.received.at(-1), status);
    await turns();
    expect(got).toMatchObject({ status, cache: "miss", body: "" });
    expect(opened.registry.received.at(-1)?.request.headers["if-none-match"]).toBe(
      status === 404 ? `"${digest}"` : undefined,
    );
  }
});

test("asks anew where a 304 is about another entity tag or digest", async () => {
  for (const headers of [{ etag: '"other"' }, { "docker-content-digest": digestOf("other") }]) {
    const opened = open({});
    await get(opened, tag);
    const got = ask(opened.cache, tag);
    await turns();
    respondStatus(opened.registry.received.at(-1), 304, headers);
    await turns();
    expect(opened.registry.received.at(-1)?.request.headers["if-none-match"]).toBeUndefined();
    respond(opened.registry.received.at(-1), "new");
    expect(got).toMatchObject({ status: 200, body: "new", state: "ended" });
  }
});

test("content by digest is asked for anew after maxAge: docker-registry would confirm by its digest what is gone", async () => {
  const opened = open({ maxAge: "10m" });
  await get(opened, byDigest);
  vi.advanceTimersByTime(599_999);
  expect((await get(opened, byDigest)).cache).toBe("hit");
  vi.advanceTimersByTime(1);
  expect((await get(opened, byDigest)).cache).toBe("miss");
  expect(opened.registry.received.at(-1)?.request.headers["if-none-match"]).toBeUndefined();
});

test("never keeps a response that says that it must not be, or that is unusual", async () => {
  const heads: Record<string, string | undefined>[] = [
    { "cache-control": "no-store" },
    { "cache-control": "private, max-age=60" },
    { "cache-control": "max-age=soon" },
    { "cache-control": "max-age=60" },
    { "cache-control": '"' },
    { vary: "*" },
    { vary: "Accept, User-Agent" },
    { "content-encoding": "gzip" },
    { link: '<https://example.com>; rel="next"' },
    { warning: '110 - "stale"' },
    { expires: "0" },
    { "ratelimit-remaining": "5" },
    { "content-length": undefined },
    { "content-length": undefined, "transfer-encoding": "chunked" },
    { "docker-content-digest": undefined },
    { "docker-content-digest": digestOf("something else") },
    { "docker-content-digest": "md5:d41d8cd98f00b204e9800998ecf8427e" },
    { "content-length": "9" },
  ];
  for (const headers of heads) {
    const opened = open();
    for (let time = 0; time < 2; time++) {
      const got = ask(opened.cache, tag);
      await turns();
      respond(opened.registry.received.at(-1), content, headers);
      await turns();
      expect(got).toMatchObject({ status: 200, cache: "miss", state: "ended" });
      expect(got.body, JSON.stringify(headers)).toBe(headers["content-length"] === "9" ? content.slice(0, 9) : content);
      expect(opened.registry.received).toHaveLength(time + 1);
    }
  }
});

test("the registry can shorten the time for which content is served by its digest", async () => {
  const opened = open();
  const first = ask(opened.cache, byDigest);
  await turns();
  respond(opened.registry.received[0], content, { "cache-control": "public, s-maxage=5, max-age=60", vary: "Accept" });
  expect(first.headers["cache-control"]).toBe("public, s-maxage=5, max-age=60");
  vi.advanceTimersByTime(4999);
  expect((await get(opened, byDigest)).cache).toBe("hit");
  vi.advanceTimersByTime(1);
  expect((await get(opened, byDigest)).cache).toBe("miss");
});

test("keeps nothing that has not the digest asked for, and passes it on as the registry sent it", async () => {
  const opened = open();
  for (let time = 1; time <= 2; time++) {
    const got = ask(opened.cache, byDigest);
    await turns();
    respond(opened.registry.received.at(-1), "forged", { "docker-content-digest": digest });
    await turns();
    expect(got).toMatchObject({ status: 200, body: "forged", cache: "miss", state: "ended" });
    expect(opened.registry.received).toHaveLength(time);
  }
});

test("who names what is not kept has the registry's response to its own condition", async () => {
  const larger = "larger".repeat(100);
  const named = `"${digestOf(larger)}"`;
  // Too large to be kept, and forged.
  for (const [maxEntry, sent] of [
    [500, larger],
    [1000, "forged".repeat(100)],
  ] as const) {
    const opened = open({ maxEntry });
    await get(opened, tag);
    vi.advanceTimersByTime(60_000);
    const conditional = manifestRequest("team/app", "latest", { "if-none-match": named });
    const got = ask(opened.cache, conditional);
    await turns();
    expect(opened.registry.received[1]?.request.headers["if-none-match"]).toBe(`"${digest}"`);
    respond(opened.registry.received[1], sent, { "docker-content-digest": digestOf(larger), etag: named });
    expect([got.state, opened.registry.received.length]).toEqual(["waiting", 3]);
    expect(opened.registry.received[1]?.aborted).toBe(true);
    expect(opened.registry.received[2]?.request.headers["if-none-match"]).toBe(named);
    opened.registry.received[2]?.sink.head({ statusCode: 304, headers: { etag: named } });
    opened.registry.received[2]?.sink.end();
    expect(got).toMatchObject({ status: 304, body: "", state: "ended", cache: "miss" });
    // Another condition is not met: what has come is the response.
    vi.advanceTimersByTime(60_000);
    const another = open({ maxEntry });
    await get(another, tag);
    vi.advanceTimersByTime(60_000);
    const unmet = ask(another.cache, manifestRequest("team/app", "latest", { "if-none-match": '"x"' }));
    await turns();
    respond(another.registry.received[1], sent, { "docker-content-digest": digestOf(larger), etag: named });
    expect(unmet).toMatchObject({ status: 200, body: sent, state: "ended" });
    expect(another.registry.received).toHaveLength(2);
  }
});

test("keeps no more than maxSize, forgets what was read longest ago, and counts what it collects", async () => {
  const opened = open({ maxSize: 20_000, maxEntry: 16_000, ttl: "1h" });
  const body = "x".repeat(4000);
  const request = (index: number): UpstreamRequest => manifestRequest("team/app", `t${index}`);
  for (const index of [0, 1, 2, 0, 3]) await get(opened, request(index), body);
  expect((await get(opened, request(0), body)).cache).toBe("hit");
  expect((await get(opened, request(1), body)).cache).toBe("miss");
  const collecting = ask(opened.cache, manifestRequest("team/app", "large"));
  await turns();
  opened.registry.received.at(-1)?.sink.head(headOf("y".repeat(15_000)));
  const second = ask(opened.cache, manifestRequest("team/app", "large2"));
  await turns();
  // There is no room for it, so it passes as it comes.
  opened.registry.received.at(-1)?.sink.head(headOf("z".repeat(15_000)));
  expect([collecting.state, second.state]).toEqual(["waiting", "begun"]);
  expect(events().every(({ bytes }) => bytes <= 20_000)).toBe(true);
  expect(events().at(-1)).toMatchObject({ upstream: "registry:5000", event: "miss" });
});

test("what the registry confirms counts as read", async () => {
  const opened = open({ maxSize: 12_000, ttl: 0 });
  const body = "x".repeat(4000);
  const request = (index: number): UpstreamRequest => manifestRequest("team/app", `t${index}`);
  for (const index of [0, 1]) await get(opened, request(index), body);
  const asked = ask(opened.cache, request(0));
  await turns();
  respondStatus(opened.registry.received.at(-1), 304);
  await turns();
  expect(asked.cache).toBe("revalidated");
  await get(opened, request(2), body);
  for (const [index, condition] of [
    [0, `"${digestOf(body)}"`],
    [1, undefined],
  ] as const) {
    ask(opened.cache, request(index));
    await turns();
    expect(opened.registry.received.at(-1)?.request.headers["if-none-match"]).toBe(condition);
  }
});

test("gives everything back: nothing is held once all was dropped", async () => {
  const opened = open();
  await get(opened, tag);
  for (const request of [byDigest, blobRequest("team/app", digest)]) {
    const got = ask(opened.cache, request);
    await turns();
    opened.registry.received.at(-1)?.sink.head(headOf(content));
    got.transfer.abort();
  }
  ask(opened.cache, deleteRequest("team/app", digest));
  expect(events().at(-1)).toMatchObject({ event: "changed", entries: 0, bytes: 0 });
});

test("a thousand readers are served in several turns of the event loop", async () => {
  const opened = open();
  const readers = Array.from({ length: 1000 }, () => ask(opened.cache, tag));
  await turns();
  respond(opened.registry.received[0], content);
  const served = (): number => readers.filter(({ state }) => state === "ended").length;
  expect(served()).toBeLessThan(100);
  await turns(40);
  expect(served()).toBe(1000);
  expect(opened.registry.received).toHaveLength(1);
});

test("without the option requests are the registry's own transport's", () => {
  const registry = heldTransport();
  expect(cacheContent(registry, undefined, "registry")).toBe(registry);
});
