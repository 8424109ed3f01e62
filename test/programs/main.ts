/** `pnpm programs`: what tests start, and its version on this machine or how to have it. Exits 0 whatever is missing. */
import { howToGet } from "./how-to-get.ts";
import { lackOf } from "./lack.ts";
import { isProgramName, programs } from "./programs.ts";
import { versionOf } from "./version-of.ts";

const names = Object.keys(programs).filter(isProgramName);
const width = Math.max(...names.map((name) => name.length));
for (const name of names) {
  const lack = lackOf(name);
  const isThere = lack === undefined || lack === "needs root";
  const state = isThere ? (versionOf(name) ?? "of unknown version") : `missing: ${howToGet(programs[name])}`;
  process.stdout.write(`${name.padEnd(width)}  ${state}\n`);
}
