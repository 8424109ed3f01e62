import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { leastNode, requireNode } from "../src/node-version.ts";

test("requires the Node version of the package's engines", async () => {
  const { engines }: { engines: { node: string } } = JSON.parse(
    await readFile(new URL("../package.json", import.meta.url), "utf8"),
  );
  expect(engines.node).toBe(`>=${leastNode.join(".")}`);
});

test.each(["22.15.0", "22.16.1", "23.0.0", "26.10.0", "100.1.0"])("accepts Node %s", (version) => {
  expect(() => requireNode(version)).not.toThrow();
});

test.each(["22.14.9", "21.99.0", "20.20.2", "9.0.0", "0.12.18"])(
  "refuses Node %s, and says what it needs",
  (version) => {
    expect(() => requireNode(version)).toThrow(`registry-gate needs Node 22.15 or newer. This is Node ${version}`);
  },
);
