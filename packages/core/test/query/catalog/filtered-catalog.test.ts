import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UpstreamFault } from "../../../src/forward/upstream-fault.ts";
import { type CatalogPlace, readPlace, writePlace } from "../../../src/query/catalog/catalog-place.ts";
import { filteredCatalog, type ReadCatalog } from "../../../src/query/catalog/filtered-catalog.ts";
import { compare, dockerRegistryCatalog, inOrder, opaqueCatalog } from "./docker-registry-catalog.ts";

/** Names of which some begin alike, also where one has a slash and another a dash or a dot. */
const name = fc.stringMatching(/^[ab]{1,2}([-./][ab]{1,2}){0,2}$/);
const names = fc.uniqueArray(name, { maxLength: 40 });

interface Setting {
  readonly shown: readonly string[];
  readonly hidden: ReadonlySet<string>;
  /** The registry's own limit of a page. */
  readonly limit: number;
  readonly exact: boolean;
}

const settings: fc.Arbitrary<Setting> = fc
  .record({
    all: names,
    hide: fc.infiniteStream(fc.boolean()),
    limit: fc.integer({ min: 1, max: 12 }),
    exact: fc.boolean(),
  })
  .map(({ all, hide, limit, exact }) => {
    const hidden = new Set(all.filter(() => hide.next().value));
    return { shown: inOrder(all.filter((item) => !hidden.has(item))), hidden, limit, exact };
  });

/** Makes a sealed place readable for the test, and tells it from a name. */
const seal = (place: CatalogPlace): string => `~${writePlace(place)}`;
const unseal = (next: string): CatalogPlace =>
  next.startsWith("~") ? (readPlace(next.slice(1)) ?? {}) : { last: next };
/** What one page may cost the registry. */
const mostReads = 10;

function open({ shown, hidden, limit, exact }: Setting) {
  const { read, reads } = dockerRegistryCatalog([...shown, ...hidden], limit, exact);
  const visible = (repository: string): boolean => !hidden.has(repository);
  return { reads, page: (n: number, place: CatalogPlace = {}) => filteredCatalog(n, place, visible, read, seal) };
}

/** A registry whose pages hold so much that a page of what is visible never costs too much. */
const generous: fc.Arbitrary<Setting> = settings.map((setting) => ({ ...setting, limit: setting.limit + 4 }));

describe("a filtered catalog", () => {
  test("lists the visible names page by page in the registry's order, with at most ten reads a page", async () => {
    await fc.assert(
      fc.asyncProperty(settings, fc.integer({ min: 1, max: 7 }), async (setting, n) => {
        const catalog = open(setting);
        const pages: (readonly string[])[] = [];
        for (let place: CatalogPlace = {}; ; ) {
          const before = catalog.reads();
          const { repositories, next } = await catalog.page(n, place);
          const reads = catalog.reads() - before;
          pages.push(repositories);
          expect(reads).toBeLessThanOrEqual(mostReads);
          if (next === undefined) break;
          // Where the page is not full, it was for its cost.
          if (repositories.length < n) expect(reads).toBe(mostReads);
          if (!next.startsWith("~")) expect(next).toBe(repositories.at(-1));
          place = unseal(next);
        }
        expect(pages.flat()).toEqual(setting.shown);
      }),
      { numRuns: 1000 },
    );
  });

  test("reveals no invisible name, not as a position either", async () => {
    await fc.assert(
      fc.asyncProperty(settings, fc.integer({ min: 1, max: 7 }), async (setting, n) => {
        const { repositories, next } = await open(setting).page(n);
        for (const repository of repositories) expect(setting.hidden).not.toContain(repository);
        if (next !== undefined && !next.startsWith("~")) expect(setting.hidden).not.toContain(next);
      }),
      { numRuns: 1000 },
    );
  });

  test("has full pages and no next one after the last where the registry's pages are large", async () => {
    await fc.assert(
      fc.asyncProperty(generous, fc.integer({ min: 1, max: 7 }), async (setting, n) => {
        const catalog = open(setting);
        const pages: (readonly string[])[] = [];
        for (let place: CatalogPlace = {}; ; ) {
          const page = await catalog.page(n, place);
          pages.push(page.repositories);
          if (page.next === undefined) break;
          expect(page.repositories).toHaveLength(n);
          expect(page.next).toBe(page.repositories.at(-1));
          place = { last: page.next };
        }
        // No page is promised that has nothing on it.
        expect(pages).toHaveLength(Math.max(1, Math.ceil(setting.shown.length / n)));
      }),
      { numRuns: 1000 },
    );
  });

  test("continues after any name: visible, hidden or missing", async () => {
    await fc.assert(
      fc.asyncProperty(generous, fc.integer({ min: 1, max: 7 }), name, async (setting, n, last) => {
        const after = setting.shown.filter((item) => compare(item, last) > 0);
        const { repositories, next } = await open(setting).page(n, { last });
        expect(repositories).toEqual(after.slice(0, n));
        expect(next).toBe(after.length > n ? after[n - 1] : undefined);
      }),
      { numRuns: 1000 },
    );
  });

  test("does not reveal whether a hidden repository exists", async () => {
    await fc.assert(
      fc.asyncProperty(
        generous,
        fc.integer({ min: 1, max: 7 }),
        fc.option(name, { nil: undefined }),
        async (setting, n, last) => {
          const without = open({ ...setting, hidden: new Set() });
          const hidden = last ?? [...setting.hidden][0];
          const asked = hidden === undefined ? {} : { last: hidden };
          expect(await open(setting).page(n, asked)).toEqual(await without.page(n, asked));
        },
      ),
      { numRuns: 1000 },
    );
  });

  test("needs at most as many reads as the registry has pages, and no unnecessary one", async () => {
    await fc.assert(
      fc.asyncProperty(generous, fc.integer({ min: 1, max: 7 }), async (setting, n) => {
        const catalog = open(setting);
        await catalog.page(n);
        const all = inOrder([...setting.shown, ...setting.hidden]);
        const needed = setting.shown[n];
        const looked = needed === undefined ? all.length + 1 : all.indexOf(needed) + 1;
        expect(catalog.reads()).toBeLessThanOrEqual(Math.max(1, Math.ceil(looked / setting.limit)));
      }),
      { numRuns: 1000 },
    );
  });
});

test("lists the visible names of a catalog whose pages the registry names itself, to the end", async () => {
  await fc.assert(
    fc.asyncProperty(settings, fc.integer({ min: 1, max: 7 }), async ({ shown, hidden, limit }, n) => {
      const catalog = opaqueCatalog([...shown, ...hidden], limit);
      const visible = (repository: string): boolean => !hidden.has(repository);
      const pages: (readonly string[])[] = [];
      for (let place: CatalogPlace = {}; ; ) {
        const before = catalog.reads();
        const { repositories, next } = await filteredCatalog(n, place, visible, catalog.read, seal);
        pages.push(repositories);
        expect(catalog.reads() - before).toBeLessThanOrEqual(mostReads);
        if (next === undefined) break;
        if (repositories.length < n) expect(catalog.reads() - before).toBe(mostReads);
        if (!next.startsWith("~")) expect(next).toBe(repositories.at(-1));
        expect(pages.length).toBeLessThan(100);
        place = unseal(next);
      }
      expect(pages.flat()).toEqual(shown);
    }),
    { numRuns: 1000 },
  );
});

test("ends a page with the registry's last one, without another read", async () => {
  const registry = dockerRegistryCatalog(["a", "b", "c"]);
  expect(await filteredCatalog(3, {}, () => true, registry.read, seal)).toEqual({
    repositories: ["a", "b", "c"],
    next: undefined,
  });
  expect(registry.reads()).toBe(1);
});

test("announces no next page after an exactly full last page", async () => {
  const registry = dockerRegistryCatalog(["a", "b", "c"], 3);
  expect(await registry.read(3, {})).toMatchObject({ next: { last: "c" } });
  const page = await filteredCatalog(3, {}, () => true, registry.read, seal);
  expect(page).toEqual({ repositories: ["a", "b", "c"], next: undefined });
});

test("reads nothing for a caller who sees nothing, or for n=0", async () => {
  const registry = dockerRegistryCatalog(["a"]);
  const empty = { repositories: [], next: undefined };
  expect(await filteredCatalog(5, {}, "nothing", registry.read, seal)).toEqual(empty);
  expect(await filteredCatalog(0, {}, () => true, registry.read, seal)).toEqual(empty);
  expect(registry.reads()).toBe(0);
});

test("returns a hundred names by default, and at most five thousand", async () => {
  const { read } = dockerRegistryCatalog(
    Array.from({ length: 5100 }, (_, index) => `r${String(index).padStart(4, "0")}`),
  );
  const size = async (n: number | undefined) =>
    (await filteredCatalog(n, {}, () => true, read, seal)).repositories.length;
  expect(await size(undefined)).toBe(100);
  expect(await size(5000)).toBe(5000);
  expect(await size(999_999_999)).toBe(5000);
});

test("requests small pages first, and larger ones when needed", async () => {
  const asked: number[] = [];
  const read: ReadCatalog = async (n) => {
    asked.push(n);
    return { repositories: [], next: { last: `hidden${asked.length}` } };
  };
  await filteredCatalog(1, {}, () => false, read, seal);
  expect(asked).toEqual([100, 1000, ...Array.from({ length: 8 }, () => 5000)]);
});

test("repeats a read where the registry limits the page size, within the same ten reads", async () => {
  const { read } = dockerRegistryCatalog(["a", "b"]);
  let refusals = 0;
  const refusing: ReadCatalog = async (n, place) => (refusals++ < 2 ? "too-many" : read(n, place));
  expect((await filteredCatalog(5, {}, () => true, refusing, seal)).repositories).toEqual(["a", "b"]);
  let reads = 0;
  const never: ReadCatalog = async () => {
    reads++;
    return "too-many";
  };
  await expect(filteredCatalog(5, {}, () => true, never, seal)).rejects.toThrow(UpstreamFault);
  expect(reads).toBe(10);
});

describe("a catalog without an end", () => {
  const endless = (names: readonly string[]) => {
    let count = 0;
    const read: ReadCatalog = async () => ({
      repositories: [names[count++] ?? "hidden"],
      next: { last: `hidden${count}` },
    });
    return { read, reads: () => count };
  };

  test("continues on the next page where ten reads found nothing", async () => {
    const { read, reads } = endless([]);
    const page = await filteredCatalog(1, {}, () => false, read, seal);
    expect(page).toEqual({ repositories: [], next: seal({ last: "hidden10" }) });
    expect(reads()).toBe(10);
  });

  test("returns what ten reads found, and the next position", async () => {
    const { read, reads } = endless(["a", "b"]);
    const visible = (repository: string): boolean => repository !== "hidden";
    const page = await filteredCatalog(5, {}, visible, read, seal);
    expect(page).toEqual({ repositories: ["a", "b"], next: seal({ last: "hidden10" }) });
    expect(reads()).toBe(10);
  });

  test("is an error where pagination makes no progress", async () => {
    const circle: ReadCatalog = async () => ({ repositories: ["hidden"], next: { last: "hidden" } });
    await expect(filteredCatalog(5, {}, () => false, circle, seal)).rejects.toThrow(UpstreamFault);
    await expect(
      filteredCatalog(
        5,
        {},
        () => false,
        endless([]).read,
        () => undefined,
      ),
    ).rejects.toThrow(UpstreamFault);
  });
});

test("fails where a later page of the registry fails", async () => {
  const fault = new Error("down");
  const read: ReadCatalog = async (_, { last }) => {
    if (last !== undefined) throw fault;
    return { repositories: ["a"], next: { last: "a" } };
  };
  await expect(filteredCatalog(2, {}, () => true, read, seal)).rejects.toBe(fault);
});
