import fc from "fast-check";
import { expect, test } from "vitest";
import { filteredCatalog, type ReadCatalog } from "../../src/catalog/filtered-catalog.ts";
import { UpstreamFault } from "../../src/forward/upstream-fault.ts";

/** A registry with these repositories, that gives at most `limit` names at once and names a next page as told. */
function registryOf(names: readonly string[], limit: number, eager: boolean): { read: ReadCatalog; reads(): number } {
  const sorted = [...new Set(names)].sort();
  let count = 0;
  return {
    async read(n, last) {
      count++;
      const rest = sorted.filter((name) => last === undefined || name > last);
      const repositories = rest.slice(0, Math.min(n, limit));
      // Registries give a Link after a full page, be there a next one or not.
      const more = eager ? repositories.length === Math.min(n, limit) : rest.length > repositories.length;
      return { repositories, next: more ? repositories.at(-1) : undefined };
    },
    reads: () => count,
  };
}

const name = fc.stringMatching(/^[a-c]{1,3}(\/[a-c]{1,2})?$/);

test("pages joined are what is visible, in order; each is full but the last, which alone has no next", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(name, { maxLength: 60 }),
      fc.uniqueArray(name, { maxLength: 60 }),
      fc.integer({ min: 1, max: 7 }),
      fc.integer({ min: 1, max: 20 }),
      fc.boolean(),
      fc.option(name, { nil: undefined }),
      async (visibleNames, hiddenNames, n, limit, eager, start) => {
        const hidden = new Set(hiddenNames);
        const visible = (repository: string): boolean => !hidden.has(repository);
        const registry = registryOf([...visibleNames, ...hiddenNames], limit, eager);
        const pages: string[][] = [];
        let last = start;
        for (;;) {
          const page = await filteredCatalog({ n, last }, visible, registry.read);
          pages.push([...page.repositories]);
          if (page.next === undefined) break;
          expect(page.repositories).toHaveLength(n);
          expect(page.next).toBe(page.repositories.at(-1));
          last = page.next;
        }
        const expected = visibleNames.filter((item) => visible(item) && (start === undefined || item > start)).sort();
        expect(pages.flat()).toEqual(expected);
      },
    ),
    { numRuns: 500 },
  );
});

test("a page ends where the registry's does, without another look for what is not there", async () => {
  const registry = registryOf(["a", "b", "c"], 1000, false);
  expect(await filteredCatalog({ n: 3, last: undefined }, () => true, registry.read)).toEqual({
    repositories: ["a", "b", "c"],
    next: undefined,
  });
  expect(registry.reads()).toBe(1);
});

test("whoever sees nothing costs the registry nothing, and neither does an empty page", async () => {
  const registry = registryOf(["a"], 1000, false);
  expect(await filteredCatalog({ n: 5, last: undefined }, "nothing", registry.read)).toEqual({
    repositories: [],
    next: undefined,
  });
  expect(await filteredCatalog({ n: 0, last: undefined }, () => true, registry.read)).toEqual({
    repositories: [],
    next: undefined,
  });
  expect(registry.reads()).toBe(0);
});

test("without a size a hundred are given, and never more than a thousand", async () => {
  const names = Array.from({ length: 3000 }, (_, index) => `r${String(index).padStart(4, "0")}`);
  const { read } = registryOf(names, 1000, false);
  expect((await filteredCatalog({ n: undefined, last: undefined }, () => true, read)).repositories).toHaveLength(100);
  expect((await filteredCatalog({ n: 5000, last: undefined }, () => true, read)).repositories).toHaveLength(1000);
});

test("a registry that never comes to an end is given up", async () => {
  let reads = 0;
  const endless: ReadCatalog = async () => {
    reads++;
    return { repositories: ["hidden"], next: "hidden" };
  };
  await expect(filteredCatalog({ n: 1, last: undefined }, () => false, endless)).rejects.toThrow(UpstreamFault);
  expect(reads).toBe(200);
});
