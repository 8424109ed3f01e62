import { describe, expect, test } from "vitest";
import { manifestOf, manifestType, pushImage } from "../support/registry-content.ts";
import { alice, comparable, registries, send, setScene } from "./scene.ts";

const accept = { accept: manifestType };

describe.each(registries)("before %s", (registry) => {
  test("a response from memory is byte for byte the registry's, but for its date", async () => {
    const scene = await setScene(registry, { ttl: "1m" });
    const { gate, registryUrl, asked } = scene;
    const image = await pushImage({ url: registryUrl, headers: {} }, "team/app", "latest", "a layer");
    const cases = [
      { path: `/v2/team/app/manifests/latest`, headers: accept },
      { path: `/v2/team/app/manifests/${image.manifest}`, headers: accept },
      { path: `/v2/team/app/blobs/${image.blob}`, headers: {} },
    ];
    for (const { path, headers } of cases) {
      const first = await send(gate.url, path, { headers });
      const before = asked().length;
      const again = await send(gate.url, path, { headers });
      const direct = await send(registryUrl, path, { headers });
      expect(asked()).toHaveLength(before);
      expect(comparable(again)).toEqual(comparable(first));
      expect(first.status).toBe(200);
      // Whatever the gate forwards of the registry's headers.
      for (const name of ["content-type", "content-length", "docker-content-digest", "etag", "cache-control"]) {
        expect(again.headers[name], name).toBe(direct.headers[name]);
      }
      expect(again.body).toEqual(direct.body);
      const head = await send(gate.url, path, { method: "HEAD", headers });
      const directHead = await send(registryUrl, path, { method: "HEAD", headers });
      expect(head.headers["content-length"]).toBe(directHead.headers["content-length"]);
      expect([head.status, head.body.length]).toEqual([200, 0]);
      const condition = { ...headers, "if-none-match": String(direct.headers.etag) };
      expect((await send(registryUrl, path, { headers: condition })).status).toBe(304);
      const unmodified = await send(gate.url, path, { headers: condition });
      expect([unmodified.status, unmodified.headers.etag]).toEqual([304, direct.headers.etag]);
      const part = await send(gate.url, path, { headers: { ...headers, range: "bytes=0-2" } });
      const directPart = await send(registryUrl, path, { headers: { ...headers, range: "bytes=0-2" } });
      expect([part.status, part.body]).toEqual([directPart.status, directPart.body]);
    }
  });

  test("the log says how each request fared, and the metrics count it", async () => {
    const admin = { admin: { address: "127.0.0.1:0" } };
    const scene = await setScene(registry, {}, admin);
    const { gate, registryUrl } = scene;
    const image = await pushImage({ url: registryUrl, headers: {} }, "team/app", "latest", "a layer");
    const tag = "/v2/team/app/manifests/latest";
    const paths = [
      tag,
      tag,
      `/v2/team/app/blobs/${image.blob}`,
      `/v2/team/app/blobs/${image.blob}`,
      "/v2/team/app/tags/list",
    ];
    for (const path of paths) expect((await send(gate.url, path, { headers: accept })).status).toBe(200);
    await gate.settled();
    const lines = gate.lines().filter(({ event, repository }) => event === "request" && repository === "team/app");
    expect(lines.map(({ cache }) => cache)).toEqual(["miss", "revalidated", "miss", "hit", undefined]);
    expect(lines.map(({ upstreamMilliseconds }) => typeof upstreamMilliseconds)).toEqual([
      ...["number", "number", "number", "undefined", "number"],
    ]);
    const { address } = gate.lines().find(({ event }) => event === "admin listening") ?? {};
    const metrics = await (await fetch(`http://${String(address)}/metrics`)).text();
    expect(metrics).toContain('registry_gate_cache_requests_total{result="hit"} 1');
    expect(metrics).toContain('registry_gate_cache_requests_total{result="revalidated"} 1');
    expect(metrics).toContain('registry_gate_cache_requests_total{result="miss"} 2');
    expect(metrics).toContain("registry_gate_cache_entries 2");
    expect(metrics).toMatch(/^registry_gate_cache_bytes [1-9]\d{3}$/m);
  });

  test("what is pushed or deleted through the gate is seen at once, and what is deleted elsewhere after maxAge", async () => {
    const scene = await setScene(registry, { ttl: "1h", maxAge: "1s" });
    const { gate, registryUrl } = scene;
    const tag = "/v2/team/app/manifests/latest";
    const caller = { url: gate.url, headers: alice };
    for (const content of ["one", "two", "three"]) {
      await pushImage(caller, "team/app", "latest", content);
      for (const _ of [1, 2]) {
        expect((await send(gate.url, tag, { headers: accept })).body.toString()).toBe(manifestOf(content));
      }
    }
    const { manifest } = await pushImage(caller, "team/app", "latest", "four");
    const byDigest = `/v2/team/app/manifests/${manifest}`;
    for (const path of [tag, byDigest]) expect((await send(gate.url, path, { headers: accept })).status).toBe(200);
    expect((await send(gate.url, byDigest, { method: "DELETE" })).status).toBe(202);
    for (const path of [tag, byDigest]) expect((await send(gate.url, path, { headers: accept })).status).toBe(404);

    const later = await pushImage(caller, "team/app", "later", "five");
    const stays = `/v2/team/app/manifests/${later.manifest}`;
    expect((await send(gate.url, stays, { headers: accept })).status).toBe(200);
    expect((await send(registryUrl, stays, { method: "DELETE" })).status).toBe(202);
    await expect
      .poll(async () => (await send(gate.url, stays, { headers: accept })).status, { timeout: 20_000, interval: 200 })
      .toBe(404);
  });

  test("another Accept gets what the registry has for it", async () => {
    const scene = await setScene(registry, { ttl: "1h" });
    await pushImage({ url: scene.registryUrl, headers: {} }, "team/app", "latest", "a layer");
    const tag = "/v2/team/app/manifests/latest";
    for (const headers of [accept, { accept: "application/json" }, { accept: "*/*" }]) {
      for (const _ of [1, 2]) {
        const through = await send(scene.gate.url, tag, { headers });
        const direct = await send(scene.registryUrl, tag, { headers });
        expect([through.status, through.headers["content-type"]]).toEqual([
          direct.status,
          direct.headers["content-type"],
        ]);
      }
    }
  });
});

test("content of one repository is not found in another one, and not without the right to it", async () => {
  const access = [
    { subjects: ["authenticated"], repositories: ["team/**"], actions: ["pull"] },
    { subjects: ["user:bob"], repositories: ["secret/**"], actions: ["pull"] },
  ];
  const { gate, registryUrl } = await setScene("docker-registry 2.8", { ttl: "1h" }, { access });
  const image = await pushImage({ url: registryUrl, headers: {} }, "team/app", "latest", "a layer");
  const paths = (repository: string): string[] => [
    `/v2/${repository}/manifests/${image.manifest}`,
    `/v2/${repository}/blobs/${image.blob}`,
  ];
  for (const path of paths("team/app")) expect((await send(gate.url, path, { headers: accept })).status).toBe(200);
  for (const path of paths("team/other")) expect((await send(gate.url, path, { headers: accept })).status).toBe(404);
  for (const path of paths("secret/app")) expect((await send(gate.url, path, { headers: accept })).status).toBe(403);
  for (const path of paths("team/app")) {
    expect((await send(gate.url, path, { headers: { ...accept, authorization: "Basic eDp5" } })).status).toBe(401);
  }
});
