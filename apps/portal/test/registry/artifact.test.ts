import fc from "fast-check";
import { expect, test } from "vitest";
import { readImageConfig, readManifest } from "../../src/registry/artifact.ts";

const digest = `sha256:${"a".repeat(64)}`;
const config = { mediaType: "application/vnd.oci.image.config.v1+json", digest, size: 7 };

test("no manifest of a registry throws, whatever it holds", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), fc.string(), (body, type) => {
      readManifest(body, type);
      readImageConfig(body);
    }),
  );
  const parts = fc.record(
    { config: fc.anything(), layers: fc.anything(), manifests: fc.anything(), annotations: fc.anything() },
    { requiredKeys: [] },
  );
  fc.assert(fc.property(parts, (manifest) => void readManifest(JSON.stringify(manifest) ?? "", "application/json")));
});

test("a digest that is none is not followed", () => {
  for (const wrong of ["../../secret/manifests/latest", "sha256:short", "", 7]) {
    expect(readManifest(JSON.stringify({ config: { ...config, digest: wrong } }), "")).toBeUndefined();
    expect(readManifest(JSON.stringify({ manifests: [{ digest: wrong }] }), "")).toBeUndefined();
  }
});

test("annotations are cut to what a page can show", () => {
  const annotations = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`a${index}`, "x".repeat(5000)]));
  const manifest = readManifest(JSON.stringify({ config, annotations }), "");
  const texts = Object.values(manifest?.annotations ?? {});
  expect(texts).toHaveLength(32);
  expect(texts[0]).toHaveLength(1024);
});

test.each([
  ["2026-11-20T10:00:00Z", new Date("2026-11-20T10:00:00Z")],
  ["1970-01-01T00:00:00Z", undefined],
  ["yesterday", undefined],
  [7, undefined],
])("an image that says it was made at %j", (created, date) => {
  expect(readImageConfig(JSON.stringify({ created })).created).toEqual(date);
});

test("a platform has its variant, and is unknown where a part is missing", () => {
  expect(readImageConfig('{"os":"linux","architecture":"arm","variant":"v7"}').platform).toBe("linux/arm/v7");
  expect(readImageConfig('{"os":"linux"}').platform).toBeUndefined();
});
