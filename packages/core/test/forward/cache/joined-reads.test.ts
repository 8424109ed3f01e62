import { expect, test, vi } from "vitest";
import { ask, blobRequest, fail, headOf, manifestRequest, respond, respondStatus, turns } from "./cached-transport.ts";
import { byDigest, content, digest, get, type Opened, open, tag, underFakeTime } from "./opened-cache.ts";

underFakeTime();

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
