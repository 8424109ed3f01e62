import { join } from "node:path";
import { expect, test } from "vitest";
import { nodes } from "../../../test/packages/nodes.ts";
import { runCommand } from "../../../test/support/run.ts";
import { scratchDirectory } from "./scratch-directory.ts";

test.each(nodes)("uses SQLite on %s without its warning, and lets every other one through", async (_, node) => {
  const program = `
    import { sqliteState } from "@registry-gate/state";
    process.emitWarning("before");
    const store = await sqliteState({ file: process.argv[1] });
    process.emitWarning("SQLite is an experimental feature");
    await store.set("key", "value");
    for (let count = 0; count < 3; count++) await store.increment("count", 1, 60_000);
    await store.increment("key", 1, 60_000).catch(({ message }) => console.log(message));
    console.log(await store.get("key"), await store.get("count"), JSON.stringify(await store.list("k")));
    await store.close();
  `;
  const file = join(await scratchDirectory(), "state.db");
  const options = ["--conditions=development", "--experimental-strip-types", "--input-type=module"];
  const { stdout, stderr } = await runCommand(node, [...options, "--eval", program, file], {
    directory: import.meta.dirname,
  });
  expect(stdout.split("\n")).toEqual([
    "the state store is unavailable: what is incremented is no whole number",
    'value 3 [{"key":"key","value":"value"}]',
    "",
  ]);
  // What Node says of TypeScript is the test's own doing.
  const warnings = stderr.split("\n").filter((line) => line.includes("Warning: ") && !line.includes("Type Stripping"));
  expect(warnings.map((line) => line.replace(/^\(node:\d+\) /, ""))).toEqual([
    "Warning: before",
    "Warning: SQLite is an experimental feature",
  ]);
});
