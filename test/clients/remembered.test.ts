import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { rememberedIn } from "./remembered.ts";

test.each([
  ["nothing", "config.json", '{"auths":{}}'],
  ["nothing", "config.json", '{"identitytoken":""}'],
  ["nothing", "config.yaml", "alicepassword"],
  ["the password", "config.json", '{"auths":{"host":{"auth":"YWxpY2U6YWxpY2VwYXNzd29yZA=="}}}'],
  ["the password", ".regctl/config.json", '{"hosts":{"host":{"user":"alice","pass":"alicepassword"}}}'],
  ["the password", ".config/helm/registry/config.json", '{"auth":"YWxpY2U6YWxpY2VwYXNzd29yZA==","identitytoken":"x"}'],
  ["a token", ".docker/config.json", '{"auths":{"host":{"auth":"YWxpY2U6","identitytoken":"rgr_x"}}}'],
])("finds %s in %s: %s", async (expected, path, text) => {
  const home = await mkdtemp(join(tmpdir(), "rg-remembered-"));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  await mkdir(dirname(join(home, path)), { recursive: true });
  await writeFile(join(home, path), text);
  expect(await rememberedIn(home, "alice", "alicepassword")).toBe(expected);
});
