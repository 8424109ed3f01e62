import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startEmbeddedRegistry } from "../src/index.ts";
import { openUpload, pushImage, rawRequest } from "./registry-client.ts";

test("a registry of its own directory leaves nothing behind", async () => {
  const registry = await startEmbeddedRegistry();
  await pushImage(registry.url, "a", "x");
  expect((await stat(registry.directory)).isDirectory()).toBe(true);
  await Promise.all([registry.close(), registry.close()]);
  await expect(stat(registry.directory)).rejects.toThrow(/ENOENT/);
  await expect(fetch(`${registry.url}/v2/`)).rejects.toThrow();
});

test("a registry in a given directory finds there what it held before, except unfinished uploads", async () => {
  const directory = join(await mkdtemp(join(tmpdir(), "kept-")), "new");
  try {
    const first = await startEmbeddedRegistry({ directory });
    const image = await pushImage(first.url, "a/b", "x");
    const upload = await openUpload(first.url, "a/b");
    await first.close();
    const second = await startEmbeddedRegistry({ directory });
    const answer = await fetch(`${second.url}/v2/a/b/manifests/x`);
    expect(await answer.text()).toBe(image.content);
    const path = new URL(upload);
    expect((await rawRequest(second.url, "GET", path.pathname + path.search)).status).toBe(404);
    await second.close();
  } finally {
    await rm(join(directory, ".."), { recursive: true });
  }
});

test("a port in use is refused", async () => {
  const registry = await startEmbeddedRegistry();
  await expect(startEmbeddedRegistry({ port: registry.port })).rejects.toThrow(/EADDRINUSE/);
  await registry.close();
});

test("the last requests are remembered as they came", async () => {
  const registry = await startEmbeddedRegistry({ rememberedRequests: 2 });
  await rawRequest(registry.url, "GET", "/v2/first");
  await rawRequest(registry.url, "GET", "/v2/a%2Fb/tags/list?n=1", { "X-Twice": ["One", "two"] });
  await rawRequest(registry.url, "PUT", "/v2/a/manifests/x", { "Transfer-Encoding": "chunked" }, Buffer.alloc(70_000));
  expect(registry.requests.map(({ method, url, bytes, status }) => ({ method, url, bytes, status }))).toEqual([
    { method: "GET", url: "/v2/a%2Fb/tags/list?n=1", bytes: 0, status: 404 },
    { method: "PUT", url: "/v2/a/manifests/x", bytes: 70_000, status: 400 },
  ]);
  expect(registry.requests[0]?.rawHeaders).toEqual(expect.arrayContaining(["X-Twice", "One", "X-Twice", "two"]));
  await registry.close();
});
