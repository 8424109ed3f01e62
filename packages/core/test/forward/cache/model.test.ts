import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { digestOf } from "../../../../../test/support/registry-content.ts";
import { cacheContent } from "../../../src/forward/cache/content-cache.ts";
import type { ResponseHead, Transport, UpstreamRequest } from "../../../src/forward/transport.ts";
import { upstreamCache } from "../../../src/observe/channels.ts";
import {
  ask,
  deleteRequest,
  fail,
  type Got,
  headOf,
  heldTransport,
  manifestRequest,
  putRequest,
  type Received,
  turns,
} from "./cached-transport.ts";

/** The cache against a registry that is a few maps, with every order of what happens at both. */

const tags = ["t", "u"];
/** Of different lengths, so that they displace each other. */
const contents = ["one", "two".repeat(300), "three".repeat(500), "four".repeat(700)];
const digests = contents.map(digestOf);
const ttl = 2000;
const maxAge = 20_000;
/** How long a request may be under way that others join. */
const joining = 5000;
/** How long after nobody waits for a write any more the registry acts on it at the latest. */
const settling = 300_000;
const maxSize = 9000;

/** From when on a name had a content; undefined: none. */
interface Period {
  readonly from: number;
  readonly content: string | undefined;
}

class ModelRegistry {
  readonly #history = new Map<string, Period[]>();

  set(repository: string, reference: string, content: string | undefined): void {
    const name = `${repository} ${reference}`;
    const periods = this.#history.get(name) ?? [];
    periods.push({ from: performance.now(), content });
    this.#history.set(name, periods);
  }

  put(repository: string, reference: string, content: string): void {
    this.set(repository, reference, content);
    this.set(repository, digestOf(content), content);
  }

  delete(repository: string, digest: string): void {
    this.set(repository, digest, undefined);
    for (const tag of tags) {
      const content = this.get(repository, tag);
      if (content !== undefined && digestOf(content) === digest) this.set(repository, tag, undefined);
    }
  }

  get(repository: string, reference: string): string | undefined {
    return this.#history.get(`${repository} ${reference}`)?.at(-1)?.content;
  }

  /** What it may have responded at some time from `from` until now. */
  since(repository: string, reference: string, from: number): (string | undefined)[] {
    const periods = [{ from: -1, content: undefined }, ...(this.#history.get(`${repository} ${reference}`) ?? [])];
    return periods
      .filter((_, index) => (periods[index + 1]?.from ?? Number.POSITIVE_INFINITY) >= from)
      .map(({ content }) => content);
  }
}

/** A request at the registry, which has looked at its content or not yet. */
interface Pending {
  readonly received: Received;
  /** A write. */
  readonly write: Write | undefined;
  /** When the client or the connection has left a write that the registry has not looked at yet. */
  left: number | undefined;
  /** The rest of its response. */
  rest: (() => void) | undefined;
}

interface Write {
  readonly got: Got;
  /** The name or repository that it changes. */
  readonly what: string;
}

interface Reading {
  readonly got: Got;
  readonly request: UpstreamRequest;
  readonly repository: string;
  readonly reference: string;
  /** The moment from which on what the registry had may be seen. */
  readonly from: number;
  /** The same where it has joined a request that was under way. */
  readonly fromJoined: number;
  readonly asked: number;
  aborted: boolean;
  judged: boolean;
}

class World {
  readonly registry = new ModelRegistry();
  readonly transport = heldTransport();
  readonly cache: Transport = cacheContent(this.transport, { ttl, maxAge, maxSize, maxEntry: 3000 }, "registry");
  readonly pending: Pending[] = [];
  readonly readings: Reading[] = [];
  /** When the last write of the gate was over, by name or repository. */
  readonly written = new Map<string, number>();
  /** When the registry has acted on a write that nobody waited for, likewise. */
  readonly late = new Map<string, number>();
  broken = 0;
  #seen = 0;

  read(repository: string, reference: string, method: string, condition: string | undefined): void {
    const headers: Record<string, string> = condition === undefined ? {} : { "if-none-match": `"${condition}"` };
    const request = manifestRequest(repository, reference, headers, method);
    const age = (reference.includes(":") ? maxAge : ttl) + joining;
    const now = performance.now();
    const last = (times: ReadonlyMap<string, number>): number =>
      Math.max(times.get(`${repository} ${reference}`) ?? 0, times.get(repository) ?? 0);
    const joined = Math.max(now - age, last(this.written), last(this.late) - joining);
    const from = Math.max(joined, last(this.late));
    const got = ask(this.cache, request);
    this.readings.push({
      got,
      request,
      repository,
      reference,
      from,
      fromJoined: joined,
      asked: now,
      aborted: false,
      judged: false,
    });
  }

  write(repository: string, reference: string, content: string | undefined): void {
    const request = content === undefined ? deleteRequest(repository, reference) : putRequest(repository, reference);
    const got = ask(this.cache, { ...request, headers: { "x-content": content ?? "" } });
    this.#collect({ got, what: content === undefined ? repository : `${repository} ${reference}` });
  }

  /** The client of a write leaves. */
  leave(index: number): void {
    const writes = this.pending.filter(({ write, received }) => write !== undefined && !received.aborted);
    const pending = writes[index % Math.max(1, writes.length)];
    if (pending?.write === undefined || pending.left !== undefined) return;
    pending.write.got.transfer.abort();
    this.#left(pending, pending.write);
  }

  #left(pending: Pending, { what }: Write): void {
    if (pending.rest === undefined) {
      pending.left = performance.now();
      return;
    }
    this.#remove(pending);
    this.written.set(what, performance.now());
  }

  /** The registry acts on a write that nobody waits for. */
  #late(pending: Pending, { what }: Write, left: number): void {
    this.#remove(pending);
    if (performance.now() - left >= settling) return;
    this.#respond(pending.received);
    this.late.set(what, performance.now());
  }

  /** The registry looks at a request, or finishes its response. */
  step(index: number, how: "ok" | "fails"): void {
    const pending = this.pending[index % Math.max(1, this.pending.length)];
    if (pending === undefined) return;
    const { received, rest, write, left } = pending;
    if (write !== undefined && left !== undefined) return void this.#late(pending, write, left);
    if (received.aborted) return void this.#remove(pending);
    if (how === "fails") {
      if (write !== undefined) {
        fail(received);
        return void this.#left(pending, write);
      }
      this.#remove(pending);
      this.broken++;
      return void fail(received);
    }
    if (rest === undefined) {
      pending.rest = this.#respond(received);
      return;
    }
    this.#remove(pending);
    rest();
    if (write !== undefined) this.written.set(write.what, performance.now());
  }

  /** Requests that have reached the registry. */
  async settle(): Promise<void> {
    await turns(4);
    this.#collect();
  }

  judge(): void {
    for (const reading of this.readings) {
      const { got, repository, reference, asked, aborted, judged, request } = reading;
      if (judged || aborted || (got.state !== "ended" && got.state !== "failed")) continue;
      reading.judged = true;
      if (got.state === "failed") {
        expect(this.broken, "a request failed for which the registry did not").toBeGreaterThan(0);
        this.broken--;
        continue;
      }
      if (got.status === 404) {
        expect(this.registry.since(repository, reference, asked)).toContain(undefined);
        continue;
      }
      // The client has asked the registry for that itself.
      if (got.headers["x-confirmed"] !== undefined) continue;
      const found = contents.find((content) => `"${digestOf(content)}"` === got.headers.etag);
      if (found === undefined) throw new Error("no such content");
      const from = got.cache === "joined" ? reading.fromJoined : reading.from;
      expect(this.registry.since(repository, reference, from)).toContain(found);
      if (reference.includes(":")) expect(digestOf(found)).toBe(reference);
      const condition = request.headers["if-none-match"];
      expect(got.status).toBe(condition === got.headers.etag ? 304 : 200);
      expect(got.body).toBe(got.status === 304 || request.method === "HEAD" ? "" : found);
      if (got.status === 200) expect(got.headers["content-length"]).toBe(String(found.length));
    }
  }

  #collect(write?: Write): void {
    for (; this.#seen < this.transport.received.length; this.#seen++) {
      const received = this.transport.received[this.#seen];
      if (received === undefined) continue;
      this.pending.push({ received, write, left: undefined, rest: undefined });
    }
  }

  #remove(pending: Pending): void {
    this.pending.splice(this.pending.indexOf(pending), 1);
  }

  #respond({ request, sink }: Received): () => void {
    const { route } = request;
    if (route === undefined || !("reference" in route)) throw new Error("not expected");
    const { repository, reference } = route;
    const received = this.transport.received.find((each) => each.sink === sink);
    if (request.method === "PUT" || request.method === "DELETE") {
      if (request.method === "PUT") this.registry.put(repository, reference, String(request.headers["x-content"]));
      else this.registry.delete(repository, reference);
      return () => {
        sink.head({ statusCode: 201, headers: { "content-length": "0" } });
        sink.end();
      };
    }
    // As docker-registry does, which does not look whether it has what is named by its digest.
    if (reference.includes(":") && request.headers["if-none-match"] === `"${reference}"`) {
      return () => {
        sink.head({ statusCode: 304, headers: { etag: `"${reference}"`, "x-confirmed": "blindly" } });
        sink.end();
      };
    }
    const content = this.registry.get(repository, reference);
    const head: ResponseHead =
      content === undefined ? { statusCode: 404, headers: { "content-length": "0" } } : headOf(content);
    if (content !== undefined && request.headers["if-none-match"] === head.headers.etag) {
      return () => {
        sink.head({ statusCode: 304, headers: { etag: head.headers.etag } });
        sink.end();
      };
    }
    sink.head(head);
    const body = content === undefined || request.method === "HEAD" ? "" : content;
    const half = Math.floor(body.length / 2);
    if (half > 0) sink.chunk(Buffer.from(body.slice(0, half)));
    return () => {
      if (received?.aborted === true) return;
      if (body.length > half) sink.chunk(Buffer.from(body.slice(half)));
      sink.end();
    };
  }
}

const repository = fc.constantFrom("a", "a", "b");
const tag = fc.constantFrom("t", "t", "t", "u");
const digest = fc.constantFrom(...digests);
const content = fc.constantFrom(...contents);

type Happening = (world: World) => void;

const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(
        repository,
        fc.oneof({ weight: 3, arbitrary: tag }, digest),
        fc.constantFrom("GET", "GET", "HEAD"),
        fc.option(digest, { freq: 6, nil: undefined }),
      )
      .map(
        (read): Happening =>
          (world) =>
            world.read(...read),
      ),
  },
  {
    weight: 12,
    arbitrary: fc.nat(20).map(
      (index): Happening =>
        (world) =>
          world.step(index, "ok"),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.nat(20).map(
      (index): Happening =>
        (world) =>
          world.step(index, "fails"),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(repository, tag, content).map(
      (put): Happening =>
        (world) =>
          world.write(...put),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(repository, digest).map(
      ([where, what]): Happening =>
        (world) =>
          world.write(where, what, undefined),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.nat(20).map(
      (index): Happening =>
        (world) =>
          world.leave(index),
    ),
  },
  // What happens at the registry itself.
  {
    weight: 2,
    arbitrary: fc.tuple(repository, tag, content).map(
      (put): Happening =>
        (world) =>
          world.registry.put(...put),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(repository, digest).map(
      (deleted): Happening =>
        (world) =>
          world.registry.delete(...deleted),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom(1, 500, 1999, 2000, 5000, 20_000).map(
      (time): Happening =>
        () =>
          vi.advanceTimersByTime(time),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.nat(20).map(
      (index): Happening =>
        ({ readings }) => {
          const reading = readings[index % Math.max(1, readings.length)];
          if (reading === undefined || reading.got.state === "ended" || reading.got.state === "failed") return;
          reading.aborted = true;
          reading.got.transfer.abort();
        },
    ),
  },
);

let highest = 0;
let end: () => void;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  end = upstreamCache.subscribe(({ bytes }) => {
    highest = Math.max(highest, bytes);
    expect(bytes).toBeGreaterThanOrEqual(0);
  });
});
afterEach(() => {
  end();
  vi.useRealTimers();
});

test("never sends what the registry could not have sent within the promised age, nor more than it may hold", async () => {
  const results = new Map<string | undefined, number>();
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { minLength: 60, maxLength: 150, size: "max" }), async (happenings) => {
      const world = new World();
      for (const content of contents) world.registry.put("a", "t", content);
      world.registry.put("b", "u", contents[1] ?? "");
      for (const happen of happenings) {
        vi.advanceTimersByTime(1);
        happen(world);
        await world.settle();
        world.judge();
      }
      // Everything that is under way comes to its end.
      for (let step = 0; world.pending.length > 0 && step < 1000; step++) {
        vi.advanceTimersByTime(1);
        world.step(0, "ok");
        await world.settle();
      }
      world.judge();
      for (const { got, aborted } of world.readings) {
        if (!aborted) expect(["ended", "failed"]).toContain(got.state);
        results.set(got.cache, (results.get(got.cache) ?? 0) + 1);
      }
    }),
    { numRuns: 300 },
  );
  expect(highest).toBeLessThanOrEqual(maxSize);
  // Otherwise the model would have judged nothing.
  for (const result of ["hit", "revalidated", "joined", "miss"]) expect(results.get(result) ?? 0).toBeGreaterThan(0);
}, 120_000);
