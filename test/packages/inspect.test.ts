import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../support/run.ts";
import { inspect } from "./inspect.ts";
import { packWorkspace } from "./pack.ts";

describe("inspect", () => {
  let directory: string;
  let sound: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "registry-gate-inspect-"));
    const packed = await packWorkspace(directory);
    const watchedFile = packed.find(({ name }) => name === "@registry-gate/watched-file");
    if (watchedFile === undefined) throw new Error("@registry-gate/watched-file was not packed");
    sound = watchedFile.tarball;
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  /** Packs the sound package again after a change to its unpacked files. */
  async function changed(name: string, change: (root: string) => Promise<unknown>): Promise<string> {
    const place = join(directory, name);
    await mkdir(place);
    await run("tar", ["-xzf", sound, "-C", place]);
    await change(join(place, "package"));
    const tarball = join(directory, `${name}.tgz`);
    await run("tar", ["-czf", tarball, "-C", place, "package"]);
    return tarball;
  }

  async function edit(file: string, from: string, to: string): Promise<void> {
    const text = await readFile(file, "utf8");
    expect(text).toContain(from);
    await writeFile(file, text.replace(from, to));
  }

  it("finds nothing in a sound package", async () => {
    expect(await inspect(sound)).toEqual([]);
    expect(await inspect(await changed("unchanged", async () => {}))).toEqual([]);
  });

  it.each<[string, (root: string) => Promise<unknown>, RegExp]>([
    ["a missing README", (root) => rm(join(root, "README.md")), /does not hold README\.md/],
    ["a missing licence", (root) => rm(join(root, "LICENSE")), /does not hold LICENSE/],
    ["missing sources", (root) => rm(join(root, "src"), { recursive: true }), /does not hold src\/index\.ts/],
    ["a missing program", (root) => rm(join(root, "dist/index.js")), /does not hold dist\/index\.js/],
    ["build information", (root) => writeFile(join(root, "dist/.tsbuildinfo"), "{}"), /holds dist\/\.tsbuildinfo/],
    [
      "a condition of the workspace",
      (root) => edit(join(root, "package.json"), '"types":', '"development": "./src/index.ts", "types":'),
      /still says "development"/,
    ],
    [
      "a version of the workspace",
      (root) => edit(join(root, "package.json"), '"version":', '"dependencies": { "a": "workspace:^" }, "version":'),
      /still says workspace:/,
    ],
    [
      "a program that is not what the type says",
      (root) => edit(join(root, "package.json"), '"type": "module"', '"type": "commonjs"'),
      /^publint: /m,
    ],
    ["missing types", (root) => rm(join(root, "dist/index.d.ts")), /^attw: /m],
  ])("finds %s", async (name, change, fault) => {
    const faults = await inspect(await changed(name.replaceAll(" ", "-"), change));
    expect(faults.join("\n")).toMatch(fault);
  });
});
