import { expect, test } from "vitest";
import type { Lack } from "../programs/lack.ts";
import type { ProgramName } from "../programs/programs.ts";
import { chooseFiles, type TestFile } from "./choose-files.ts";

const file = (path: string, ...programs: ProgramName[]): TestFile => ({
  path,
  needs: { programs: new Set(programs), processes: programs.length > 0, servers: false },
});
const files = [
  file("plain"),
  file("front", "nginx", "curl"),
  file("daemon", "dockerd", "curl"),
  file("client", "curl"),
];

test("runs every file where nothing is missing", () => {
  expect(chooseFiles(files, () => undefined)).toEqual({ run: files, leftOut: [] });
});

test("leaves out the files that need what is missing, and says what", () => {
  const lacks: Partial<Record<ProgramName, Lack>> = { nginx: "missing", dockerd: "needs root" };
  const { run, leftOut } = chooseFiles(files, (name) => lacks[name]);
  expect(run.map(({ path }) => path)).toEqual(["plain", "client"]);
  expect(leftOut).toEqual([
    { path: "front", lacks: new Map([["nginx", "missing"]]) },
    { path: "daemon", lacks: new Map([["dockerd", "needs root"]]) },
  ]);
});
