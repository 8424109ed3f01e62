import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { run } from "../support/run.ts";

const module = fileURLToPath(new URL("../../apps/gateway/src/process/young-generation.ts", import.meta.url));

/** Makes much that lives for a while, as a busy gate does, and prints how large V8's new space has become, in bytes. */
const program = `
import { setImmediate as turn } from "node:timers/promises";
import { getHeapSpaceStatistics } from "node:v8";
import { limitYoungGeneration } from ${JSON.stringify(module)};
if (process.argv[1] === "limited") limitYoungGeneration();
let kept = [];
for (let round = 0; round < 3000; round++) {
  for (let index = 0; index < 1000; index++) kept.push({ index, list: [index] });
  if (kept.length > 40_000) kept = kept.slice(20_000);
  await turn();
}
const space = getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space");
process.stdout.write(String(space.space_size));
`;

async function newSpaceOf(word: string): Promise<number> {
  return Number(await run(process.execPath, ["--input-type=module", "--eval", program, word]));
}

test("V8's new space stays small under load", async () => {
  // It is stopped at 8 MiB, a turn after it has grown.
  const most = 24 * 2 ** 20;
  expect(await newSpaceOf("limited")).toBeLessThan(most);
  // Or else the limit is needed no more. How soon V8 lets it grow is up to the machine.
  let free = 0;
  for (let runs = 0; runs < 5 && free <= most; runs++) free = await newSpaceOf("free");
  expect(free).toBeGreaterThan(most);
});
