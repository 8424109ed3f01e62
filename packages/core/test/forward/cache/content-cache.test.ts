import { createHash } from "node:crypto";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { digestOf } from "../../../../../test/support/registry-content.ts";
import { cacheContent } from "../../../src/forward/cache/content-cache.ts";
import type { ContentChange, ContentChanges } from "../../../src/forward/cache/content-changes.ts";
import type { UpstreamRequest } from "../../../src/forward/transport.ts";
import { type UpstreamCache, upstreamCache } from "../../../src/observe/channels.ts";
import type { ContentCacheOptions } from "../../../src/options/options.ts";
import {
  ask,
  blobRequest,
  deleteRequest,
  fail,
  type Got,
  headOf,
  heldTransport,
  manifestRequest,
  putRequest,
  respond,
  respondStatus,
  turns,
} from "./cached-transport.ts";

const content = "a manifest";
const digest = digestOf(content);
const tag = manifestRequest("team/app", "latest");
const byDigest = manifestRequest("team/app", digest);

let end: () => void;
let events: UpstreamCache[];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  events = [];
  end = upstreamCache.subscribe((message) => events.push(message));
});
afterEach(() => {
  end();
  vi.useRealTimers();
});

function open(options: ContentCacheOptions = { ttl: "1m" }) {
  const registry = heldTransport();
  return { registry, cache: cacheContent(registry, options, "registry:5000") };
}
type Opened = ReturnType<typeof open>;

/** Asks, and has the registry respond to whatever reaches it. */
async function get({ registry, cache }: Opened, request: UpstreamRequest, sent = content): Promise<Got> {
  const before = registry.received.length;
  const got = ask(cache, request);
  await turns();
  for (const received of registry.received.slice(before)) respond(received, sent);
  await turns();
  return got;
}

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

test("who waits for a response that turns out to be forged, too large or an error asks the registry itself", async () => {
  const cases: ((index: number, opened: Opened) => void)[] = [
    (index, { registry }) => respond(registry.received[index], "forged", { "docker-content-digest": digest }),
    (index, { registry }) => respond(registry.received[index], content, { "content-length": "99999999" }),
    (index, { registry }) => respondStatus(registry.received[index], 404),
    (index, { registry }) => respondStatus(registry.received[index], 503),
  ];
  for (const respondTo of cases) {
    const opened = open();
    const leader = ask(opened.cache, byDigest);
    const followers = [1, 2, 3].map(() => ask(opened.cache, byDigest));
    await turns();
    expect(opened.registry.received).toHaveLength(1);
    respondTo(0, opened);
    await turns();
    expect(leader.state).toBe("ended");
    expect(opened.registry.received).toHaveLength(4);
    for (const index of [1, 2, 3]) respondTo(index, opened);
    await turns();
    for (const follower of followers)
      expect(follower).toMatchObject({ state: "ended", cache: "miss", body: leader.body });
  }
});

test("equal reads in progress are one request to the registry, for GET, HEAD and 304 alike", async () => {
  const opened = open();
  const leader = ask(opened.cache, tag);
  const get1 = ask(opened.cache, tag);
  const head = ask(opened.cache, manifestRequest("team/app", "latest", {}, "HEAD"));
  const condition = ask(opened.cache, manifestRequest("team/app", "latest", { "if-none-match": `W/"x", "${digest}"` }));
  await turns();
  expect(opened.registry.received).toHaveLength(1);
  respond(opened.registry.received[0], content);
  await turns();
  expect(leader).toMatchObject({ status: 200, body: content, cache: "miss" });
  expect(get1).toMatchObject({ status: 200, body: content, cache: "joined", state: "ended" });
  expect(head).toMatchObject({ status: 200, body: "", cache: "joined", state: "ended" });
  expect(head.headers["content-length"]).toBe("10");
  expect(condition).toMatchObject({ status: 304, body: "", state: "ended" });
  expect({ ...condition.headers }).toEqual({ etag: `"${digest}"`, "docker-content-digest": digest });
});

test("HEAD of a manifest is asked for by GET, and serves later requests", async () => {
  const opened = open();
  const head = await get(opened, manifestRequest("team/app", "latest", {}, "HEAD"));
  expect(opened.registry.received[0]?.request.method).toBe("GET");
  expect(head).toMatchObject({ status: 200, body: "", state: "ended", cache: "miss" });
  expect((await get(opened, tag)).cache).toBe("hit");
});

test("the body of what HEAD is asked of and is not kept is dropped, and cut where it is long", async () => {
  const opened = open();
  const head = ask(opened.cache, manifestRequest("team/app", "latest", {}, "HEAD"));
  await turns();
  const [received] = opened.registry.received;
  received?.sink.head({ statusCode: 404, headers: { "content-length": "200000" } });
  expect(head).toMatchObject({ status: 404, state: "ended" });
  received?.sink.chunk(Buffer.alloc(60_000));
  expect(received?.aborted).toBe(false);
  received?.sink.chunk(Buffer.alloc(60_000));
  expect(received?.aborted).toBe(true);
});

test("HEAD of a blob that is not kept, a range, and conditions by date pass by", async () => {
  const opened = open();
  const passing = [
    blobRequest("team/app", digest, {}, "HEAD"),
    blobRequest("team/app", digest, { range: "bytes=0-1" }),
    blobRequest("team/app", digest, { "if-range": '"x"' }),
    manifestRequest("team/app", "latest", { "if-modified-since": "Sat, 28 Nov 2026 08:00:00 GMT" }),
    manifestRequest("team/app", "latest", { "if-none-match": `"${digest}"` }),
    { ...tag, route: undefined },
  ];
  for (const request of passing) {
    await get(opened, request);
    const { method, headers } = opened.registry.received.at(-1)?.request ?? {};
    expect({ method, headers }).toEqual({ method: request.method, headers: request.headers });
  }
  await get(opened, tag);
  expect(opened.registry.received).toHaveLength(passing.length + 1);
});

test("HEAD of a kept blob is from memory", async () => {
  const opened = open();
  await get(opened, blobRequest("team/app", digest));
  const head = await get(opened, blobRequest("team/app", digest, {}, "HEAD"));
  expect(head).toMatchObject({ status: 200, body: "", cache: "hit" });
});

test("a slow leader holds nobody up", async () => {
  const opened = open();
  const leader = ask(opened.cache, tag);
  leader.slow = true;
  const follower = ask(opened.cache, tag);
  await turns();
  const [received] = opened.registry.received;
  received?.sink.head(headOf(content));
  expect(received?.sink.chunk(Buffer.from(content.slice(0, 4)))).toBe(true);
  expect(received?.sink.chunk(Buffer.from(content.slice(4)))).toBe(true);
  received?.sink.end();
  await turns();
  expect(follower).toMatchObject({ body: content, state: "ended" });
  expect(leader).toMatchObject({ body: content, state: "ended" });
});

test("a leader that leaves fails nobody, before the head and in the middle of the body", async () => {
  for (const late of [false, true]) {
    const opened = open();
    const leader = ask(opened.cache, tag);
    const follower = ask(opened.cache, tag);
    await turns();
    const [received] = opened.registry.received;
    if (late) received?.sink.head(headOf(content));
    leader.transfer.abort();
    expect(received?.aborted).toBe(false);
    if (!late) received?.sink.head(headOf(content));
    received?.sink.chunk(Buffer.from(content));
    received?.sink.end();
    await turns();
    expect(follower).toMatchObject({ body: content, state: "ended", cache: "joined" });
    expect(leader.status).toBeUndefined();
  }
});

test("the request ends when everybody who waits for it has left", async () => {
  const opened = open();
  const readers = [ask(opened.cache, tag), ask(opened.cache, tag), ask(opened.cache, tag)];
  await turns();
  for (const { transfer } of readers) transfer.abort();
  expect(opened.registry.received[0]?.aborted).toBe(true);
  expect((await get(opened, tag)).cache).toBe("miss");
});

test("who leaves before anything was sent costs the registry nothing", async () => {
  const opened = open();
  ask(opened.cache, tag).transfer.abort();
  await turns();
  expect(opened.registry.received).toHaveLength(0);
});

test("what breaks off is a failure for the first reader alone, who gets nothing of it", async () => {
  const opened = open();
  const leader = ask(opened.cache, tag);
  const followers = [ask(opened.cache, tag), ask(opened.cache, tag)];
  await turns();
  opened.registry.received[0]?.sink.head(headOf(content));
  opened.registry.received[0]?.sink.chunk(Buffer.from("a man"));
  fail(opened.registry.received[0]);
  await turns();
  expect(leader).toMatchObject({ status: undefined, body: "", state: "failed" });
  expect(followers.map(({ state }) => state)).toEqual(["waiting", "waiting"]);
  // One of them asks for both.
  expect(opened.registry.received).toHaveLength(2);
  respond(opened.registry.received[1], content);
  await turns();
  for (const follower of followers) expect(follower).toMatchObject({ status: 200, body: content, state: "ended" });
});

test("a response that ends before its length was reached is not kept", async () => {
  const opened = open();
  const got = ask(opened.cache, tag);
  await turns();
  opened.registry.received[0]?.sink.head(headOf(content));
  opened.registry.received[0]?.sink.chunk(Buffer.from("a man"));
  opened.registry.received[0]?.sink.end();
  expect(got).toMatchObject({ body: "a man", state: "ended", cache: "miss" });
  expect((await get(opened, tag)).cache).toBe("miss");
});

test("nobody waits longer than five seconds for the response to somebody else", async () => {
  const opened = open();
  const readers = [1, 2, 3].map(() => ask(opened.cache, tag));
  await turns();
  vi.advanceTimersByTime(5000);
  await turns();
  expect(opened.registry.received).toHaveLength(2);
  vi.advanceTimersByTime(5000);
  await turns();
  expect(opened.registry.received).toHaveLength(3);
  for (const received of opened.registry.received) respond(received, content);
  await turns();
  for (const reader of readers) expect(reader).toMatchObject({ body: content, state: "ended" });
});

test("nobody joins a request that was sent five seconds ago", async () => {
  const opened = open({ ttl: "1h" });
  const first = ask(opened.cache, tag);
  await turns();
  vi.advanceTimersByTime(5000);
  const second = ask(opened.cache, tag);
  await turns();
  expect(opened.registry.received).toHaveLength(2);
  respond(opened.registry.received[1], "new");
  respond(opened.registry.received[0], content);
  expect([first.body, second.body]).toEqual([content, "new"]);
  // What was asked for first does not replace what was asked for later.
  expect(await get(opened, tag)).toMatchObject({ body: "new", cache: "hit" });
});

test("a push drops its tags, and nothing else", async () => {
  const opened = open();
  const other = manifestRequest("team/app", "other");
  const further = manifestRequest("team/app", "further");
  for (const request of [tag, other, further, byDigest]) await get(opened, request);
  const put = ask(opened.cache, putRequest("team/app", "latest", ["further"]));
  respondStatus(opened.registry.received.at(-1), 201);
  expect(put.status).toBe(201);
  expect((await get(opened, tag)).cache).toBe("miss");
  expect((await get(opened, further)).cache).toBe("miss");
  expect((await get(opened, other)).cache).toBe("hit");
  expect((await get(opened, byDigest)).cache).toBe("hit");
});

test("a delete drops the whole repository, and no other", async () => {
  for (const operation of ["delete-manifest", "delete-blob"] as const) {
    const opened = open();
    const elsewhere = manifestRequest("team/app2", "latest");
    for (const request of [tag, byDigest, elsewhere]) await get(opened, request);
    ask(opened.cache, deleteRequest("team/app", digest, operation));
    respondStatus(opened.registry.received.at(-1), 202);
    expect((await get(opened, tag)).cache).toBe("miss");
    expect((await get(opened, byDigest)).cache).toBe("miss");
    expect((await get(opened, elsewhere)).cache).toBe("hit");
  }
});

test("what was asked for before a push is over is not kept, however the push ends", async () => {
  const ends: ((opened: Opened, put: Got) => void)[] = [
    ({ registry }) => respondStatus(registry.received[1], 201),
    ({ registry }) => respondStatus(registry.received[1], 500),
    ({ registry }) => fail(registry.received[1]),
    (_, put) => put.transfer.abort(),
  ];
  for (const [index, endPush] of ends.entries()) {
    const opened = open();
    const before = ask(opened.cache, tag);
    await turns();
    const put = ask(opened.cache, putRequest("team/app", "latest"));
    const during = ask(opened.cache, tag);
    await turns();
    expect(opened.registry.received).toHaveLength(3);
    endPush(opened, put);
    const after = ask(opened.cache, tag);
    await turns();
    // It must not join those that were asked before.
    expect(opened.registry.received).toHaveLength(4);
    respond(opened.registry.received[3], "new");
    respond(opened.registry.received[0], content);
    respond(opened.registry.received[2], content);
    await turns();
    expect([before.body, during.body, after.body]).toEqual([content, content, "new"]);
    const settled = index === 0;
    expect(await get(opened, tag, "new")).toMatchObject({ body: "new", cache: settled ? "hit" : "miss" });
    expect(events.at(-1)).toMatchObject({ entries: settled ? 1 : 0 });
  }
});

test("nothing is kept that the registry may still delete, be it that the client or the registry has left", async () => {
  const ends: ((opened: Opened, deletion: Got) => void)[] = [
    ({ registry }) => respondStatus(registry.received.at(-1), 504),
    ({ registry }) => fail(registry.received.at(-1)),
    (_, deletion) => deletion.transfer.abort(),
  ];
  for (const endDeletion of ends) {
    const opened = open();
    const elsewhere = manifestRequest("team/app2", digest);
    const deletion = ask(opened.cache, deleteRequest("team/app", digest));
    endDeletion(opened, deletion);
    for (const request of [byDigest, tag, elsewhere])
      expect(await get(opened, request)).toMatchObject({ cache: "miss" });
    expect((await get(opened, elsewhere)).cache).toBe("hit");
    vi.advanceTimersByTime(299_999);
    // Equal reads at the same time are one request nevertheless.
    const both = [ask(opened.cache, byDigest), ask(opened.cache, byDigest)];
    await turns();
    // The registry deletes it only now.
    respond(opened.registry.received.at(-1), content);
    expect(both.map(({ cache }) => cache)).toEqual(["miss", "joined"]);
    const after = ask(opened.cache, byDigest);
    await turns();
    respondStatus(opened.registry.received.at(-1), 404);
    expect(after.status).toBe(404);
    vi.advanceTimersByTime(1);
    for (const cache of ["miss", "hit"]) expect((await get(opened, byDigest)).cache).toBe(cache);
  }
});

test("a push whose outcome is not known concerns its tags alone", async () => {
  const opened = open();
  const further = manifestRequest("team/app", "further");
  ask(opened.cache, putRequest("team/app", "latest", ["further"])).transfer.abort();
  for (const cache of ["miss", "miss"]) expect((await get(opened, tag)).cache).toBe(cache);
  for (const cache of ["miss", "miss"]) expect((await get(opened, further)).cache).toBe(cache);
  for (const cache of ["miss", "hit"]) expect((await get(opened, byDigest)).cache).toBe(cache);
});

test("a write whose outcome is known, or that was never sent, keeps nothing from being kept", async () => {
  const ends: ((opened: Opened, deletion: Got) => void)[] = [
    ({ registry }) => respondStatus(registry.received.at(-1), 404),
    ({ registry }) =>
      registry.received.at(-1)?.sink.failed({ kind: "overloaded", error: new Error("too many"), stale: false }),
    ({ registry }, deletion) => {
      registry.received.at(-1)?.sink.head({ statusCode: 202, headers: {} });
      deletion.transfer.abort();
    },
    ({ registry }) => {
      registry.received.at(-1)?.sink.head({ statusCode: 202, headers: {} });
      fail(registry.received.at(-1));
    },
  ];
  for (const endDeletion of ends) {
    const opened = open();
    endDeletion(opened, ask(opened.cache, deleteRequest("team/app", digest)));
    for (const cache of ["miss", "hit"]) expect((await get(opened, byDigest)).cache).toBe(cache);
  }
});

test("other gates learn of a write, and whether its outcome is known", async () => {
  const followers: ((change: ContentChange) => void)[] = [];
  const changes: ContentChanges = {
    async announce(change) {
      for (const follower of followers) follower(change);
    },
    follow(listener) {
      followers.push(listener);
      return () => {};
    },
  };
  const registry = heldTransport();
  const [one, other] = [0, 1].map(() => ({
    registry,
    cache: cacheContent(registry, { ttl: "1m" }, "registry:5000", changes),
  }));
  if (one === undefined || other === undefined) throw new Error("no gates");
  await get(other, byDigest);
  ask(one.cache, deleteRequest("team/app", digest));
  respondStatus(registry.received.at(-1), 202);
  for (const cache of ["miss", "hit"]) expect((await get(other, byDigest)).cache).toBe(cache);
  ask(one.cache, deleteRequest("team/app", digest)).transfer.abort();
  for (const cache of ["miss", "miss"]) expect((await get(other, byDigest)).cache).toBe(cache);
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

test("a confirmation that is under way when a push ends confirms nothing", async () => {
  const opened = open({ ttl: "1s" });
  await get(opened, tag);
  vi.advanceTimersByTime(1000);
  const asked = ask(opened.cache, tag);
  await turns();
  const confirming = opened.registry.received.at(-1);
  ask(opened.cache, putRequest("team/app", "latest"));
  respondStatus(opened.registry.received.at(-1), 201);
  if (confirming === undefined) throw new Error("nothing was asked");
  respondStatus(confirming, 304);
  await turns();
  expect(asked).toMatchObject({ status: 200, body: content, state: "ended" });
  expect((await get(opened, tag, "new")).body).toBe("new");
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
  expect(events.every(({ bytes }) => bytes <= 20_000)).toBe(true);
  expect(events.at(-1)).toMatchObject({ upstream: "registry:5000", event: "miss" });
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
  expect(events.at(-1)).toMatchObject({ event: "changed", entries: 0, bytes: 0 });
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
