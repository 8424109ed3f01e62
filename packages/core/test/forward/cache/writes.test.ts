import { expect, test, vi } from "vitest";
import { cacheContent } from "../../../src/forward/cache/content-cache.ts";
import type { ContentChange, ContentChanges } from "../../../src/forward/cache/content-changes.ts";
import {
  ask,
  deleteRequest,
  fail,
  type Got,
  heldTransport,
  manifestRequest,
  putRequest,
  respond,
  respondStatus,
  turns,
} from "./cached-transport.ts";
import { byDigest, content, digest, get, type Opened, open, tag, underFakeTime } from "./opened-cache.ts";

const events = underFakeTime();

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
    expect(events().at(-1)).toMatchObject({ entries: settled ? 1 : 0 });
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
