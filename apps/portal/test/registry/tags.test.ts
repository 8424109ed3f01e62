import { describe, expect, test } from "vitest";
import { planDeletion, tagDeletion } from "../../src/registry/deletion.ts";
import { descriptions } from "../../src/registry/describe.ts";
import { listRepositories } from "../../src/registry/lists.ts";
import { NotAllowedError } from "../../src/registry/reader.ts";
import { readTagPage } from "../../src/registry/tag-page.ts";
import { putImage } from "./content.ts";
import { openStage } from "./stage.ts";

const access = [
  { subjects: ["user:alice"], repositories: ["**"], actions: ["pull"] },
  { subjects: ["user:bob"], repositories: ["bob/**"], actions: ["pull"] },
] as const;

test("repositories are those that somebody may pull, as people sort them, through all pages", async () => {
  const { registry, reader } = await openStage(access);
  const names = [...Array.from({ length: 12 }, (_, index) => `bob/app-${index}`), "team/app"];
  for (const repository of names) await putImage({ url: registry.url, repository }, "1.0");
  expect((await listRepositories(reader("bob"), 100)).names).toEqual(names.slice(0, -1));
  expect(await listRepositories(reader("alice"), 100)).toEqual({ names, cut: false });
  expect(await listRepositories(reader("alice"), 12)).toMatchObject({ cut: true });
  expect((await listRepositories(reader("alice"), 12)).names).toHaveLength(12);
});

describe("a page of tags", () => {
  test("has the highest first, those of tools last, and what matches alone", async () => {
    const { registry, reader } = await openStage(access);
    const to = { url: registry.url, repository: "team/app" };
    const ofTool = `sha256-${"a".repeat(64)}.sig`;
    for (const tag of ["1.9", "1.10", "latest", ofTool]) await putImage(to, tag);
    for (let index = 0; index < 30; index++) await putImage(to, `build-${index}`);
    const read = (asked = {}) => readTagPage(reader("alice"), descriptions(), "team/app", asked);
    const first = await read();
    expect(first).toMatchObject({ total: 34, all: 34, page: 1, pages: 2, cut: false });
    expect(first.tags.slice(0, 3).map(({ name }) => name)).toEqual(["latest", "build-29", "build-28"]);
    expect(first.tags[0]?.artifact).toMatchObject({ kind: "image" });
    const second = await read({ page: 2 });
    expect(second.tags.slice(-3).map(({ name }) => name)).toEqual(["1.10", "1.9", ofTool]);
    expect(await read({ page: 99 })).toEqual(second);
    expect((await read({ search: "1." })).tags.map(({ name }) => name)).toEqual(["1.10", "1.9"]);
    expect(await read({ search: "nothing" })).toMatchObject({ tags: [], total: 0, all: 34, page: 1, pages: 1 });
  });

  test("is nobody's who may not pull", async () => {
    const { registry, reader } = await openStage(access);
    await putImage({ url: registry.url, repository: "team/app" }, "1.0");
    await expect(readTagPage(reader("bob"), descriptions(), "team/app", {})).rejects.toThrow(NotAllowedError);
  });
});

describe("what goes with a tag", () => {
  test("is the tag alone where the registry can, and else every tag of the digest", async () => {
    const { registry, reader } = await openStage(access);
    const to = { url: registry.url, repository: "team/app" };
    const { digest } = await putImage(to, "1.0");
    await putImage(to, "latest");
    const other = await putImage(to, "2.0", { architecture: "arm64" });
    const plan = (reference: string, alone: boolean) =>
      planDeletion(reader("alice"), descriptions(), "team/app", reference, alone);
    expect(await plan("1.0", true)).toEqual({ digest, target: "1.0", tags: ["1.0"], keepsDigest: true });
    for (const reference of ["1.0", digest]) {
      expect(await plan(reference, false)).toEqual({
        digest,
        target: digest,
        tags: ["1.0", "latest"],
        keepsDigest: false,
      });
    }
    expect(await plan(digest, true)).toMatchObject({ tags: ["1.0", "latest"], keepsDigest: false });
    expect(await plan("2.0", false)).toMatchObject({ digest: other.digest, tags: ["2.0"] });
    expect(await plan("3.0", false)).toBeUndefined();
  });

  test.each([
    [404, true, 1],
    [405, false, 1],
    [400, false, 1],
    // Neither says anything about tags: a rule, and a registry under maintenance.
    [403, false, 2],
    [503, false, 2],
  ])("is asked of the registry by a tag that nobody has: %d", async (status, supported, times) => {
    const asked: string[] = [];
    const remove = async (target: string): Promise<number> => {
      asked.push(target);
      return status;
    };
    const tags = tagDeletion();
    expect(await tags.isSupported("team/app", remove)).toBe(supported);
    expect(await tags.isSupported("team/lib", remove)).toBe(supported);
    expect(asked).toHaveLength(times);
    expect(asked[0]).toMatch(/^team\/app\/manifests\/[a-z-]+$/);
  });
});
