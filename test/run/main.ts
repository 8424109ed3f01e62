/**
 * `pnpm test`: installs what the tests start, runs those that can be run, and says which could not. Parameters are those
 * of `vitest run`; without any, a few files that fail are run once more alone. Exits 1 where a test fails, or where
 * something is missing under `CI=true`.
 */
import { resolve } from "node:path";
import { lackOf } from "../programs/lack.ts";
import { chooseFiles } from "./choose-files.ts";
import { canInstall, isDebian } from "./debian.ts";
import { listFiles } from "./list-files.ts";
import { parametersOf } from "./parameters.ts";
import { prepare } from "./prepare.ts";
import { reportLeftOut, wantedByCi } from "./report.ts";
import { runTwice } from "./run-twice.ts";
import { leavingOut, vitest } from "./vitest.ts";

const root = resolve(import.meta.dirname, "../..");
const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function main(parameters: readonly string[]): Promise<number> {
  const files = await listFiles(root, parameters);
  let choice = chooseFiles(files, lackOf);
  if (await prepare(choice.leftOut, canInstall(), say)) choice = chooseFiles(files, lackOf);

  const { run, leftOut } = choice;
  const report = reportLeftOut(leftOut, files.length, { debian: isDebian(), root: process.getuid?.() === 0 });
  const wanted = wantedByCi(leftOut);
  if (isCi() && wanted.length > 0) {
    for (const line of report) say(line);
    say(`under CI nothing may be missing: ${wanted.join(", ")}`);
    return 1;
  }
  const excluded = leavingOut(leftOut.map(({ path }) => path));
  // Where no file was asked for that exists, vitest says so.
  let code = 0;
  if (run.length > 0 || files.length === 0) {
    // Who asks for something by itself has it alone already.
    code =
      parameters.length > 0 ? await vitest(root, [...parameters, ...excluded]) : await runTwice(root, excluded, say);
  }
  for (const line of report) say(line);
  return code;
}

function isCi(): boolean {
  return !["", "0", "false"].includes(process.env.CI ?? "");
}

process.exitCode = await main(parametersOf(process.argv));
