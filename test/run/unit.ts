/**
 * `pnpm test:unit`: the tests that start no process and no server, so that nothing but Node is needed and an edit is
 * judged within a minute. Parameters are those of `vitest run`.
 */
import { resolve } from "node:path";
import { listFiles } from "./list-files.ts";
import { parametersOf } from "./parameters.ts";
import { leavingOut, vitest } from "./vitest.ts";

const root = resolve(import.meta.dirname, "../..");
const parameters = parametersOf(process.argv);
const files = await listFiles(root, parameters);
const others = files.filter(({ needs }) => needs.processes || needs.servers).map(({ path }) => path);
// Without isolation it takes half the time; what a test file does to its process it has to undo.
process.exitCode = await vitest(root, ["--isolate=false", ...parameters, ...leavingOut(others)]);
process.stdout.write(`${files.length - others.length} of ${files.length} test files; pnpm test runs all\n`);
