import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

const workspace = resolve(import.meta.dirname, "../..");

/** What a call is given: from the parenthesis at `start` to the one that closes it. */
function parametersAt(text: string, start: number): string {
  let depth = 0;
  for (let end = start; end < text.length; end++) {
    if (text[end] === "(") depth++;
    if (text[end] === ")" && --depth === 0) return text.slice(start, end);
  }
  return text.slice(start);
}

test("a test that waits by vi says how long, because a busy machine takes more than the second that is the default", () => {
  const files = globSync("{test,packages/*/test,apps/*/test}/**/*.ts", { cwd: workspace });
  const calls = files
    .filter((path) => !path.includes("node_modules"))
    .flatMap((path) => {
      const text = readFileSync(join(workspace, path), "utf8");
      const found = [...text.matchAll(/\bvi\.wait(?:For|Until)(?=\()/g)];
      return found.map(({ 0: name, index }) => ({ path, parameters: parametersAt(text, index + name.length) }));
    });
  expect(calls.length).toBeGreaterThan(0);
  // `expect.poll` needs none: the time that it has is in the configuration.
  expect(calls.filter(({ parameters }) => !parameters.includes("timeout")).map(({ path }) => path)).toEqual([]);
});
