import { join } from "node:path";
import { expect, it } from "vitest";
import { run } from "../support/run.ts";
import { publishedPackages, workspace } from "./pack.ts";

it("loads every published package by require()", async () => {
  const { built } = await publishedPackages();
  const files = built.map((directory) => join(workspace, directory, "src/index.ts"));
  const script = `for (const file of ${JSON.stringify(files)}) console.log(Object.keys(require(file)).length > 0);`;
  const options = ["--conditions=development", "--input-type=commonjs", "--eval", script];
  expect(await run(process.execPath, options)).toBe("true\n".repeat(files.length));
});
