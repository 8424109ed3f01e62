/** Counts in the store of a file, which other processes use at the same time. */
import { sqliteState } from "@registry-gate/state";

const hour = 3_600_000;
const store = await sqliteState({ file: process.argv[2] ?? "" });
for (let count = 0; count < 200; count++) {
  await store.increment("count", 1, hour);
  if (await store.add(`once:${count}`, "")) await store.increment("added", 1, hour);
}
await store.close();
