import { configOf, digestOf, manifestOf, manifestType } from "../../support/registry-content.ts";
import type { Difference } from "../difference.ts";
import type { Conversation, Step } from "../exchange.ts";
import { acceptsManifest, configDigest, given, known, layerDigest, manifest, manifestDigest } from "./given.ts";

function put(target: string, body: Step["body"], status: number, type = manifestType): Step {
  return { method: "PUT", target, headers: { ...known, "content-type": type }, body: body ?? "", status };
}

function mount(repository: string, digest: string): Step {
  const target = `/v2/${repository}/blobs/uploads/?mount=${digest}&from=${given.repository}`;
  return { method: "POST", target, headers: known, status: 201 };
}

function get(target: string, status: number): Step {
  return { method: "GET", target, headers: { ...known, ...acceptsManifest }, status };
}

function remove(target: string, status: number): Step {
  return { method: "DELETE", target, headers: known, status };
}

const absentImage = manifestOf("a layer that nobody pushed");

const untyped: Difference = {
  reason: "without a body its type says nothing, and goes no further; the registry then misses it in its own words",
  gate: (recipe) => {
    const body = recipe.body.replace('"detail":{"Offset":0}', '"detail":{}');
    return { ...recipe, headers: { ...recipe.headers, "content-length": String(body.length) }, body };
  },
};

export const pushes: readonly Conversation[] = [
  {
    name: "an image pushed under a tag, and under its digest",
    steps: [
      mount("push/image", layerDigest),
      mount("push/image", configDigest),
      put("/v2/push/image/manifests/1", manifest, 201),
      put(`/v2/push/image/manifests/${manifestDigest}`, manifest, 201),
      get("/v2/push/image/manifests/1", 200),
      get("/v2/push/image/tags/list", 200),
    ],
  },
  {
    name: "a manifest sent in chunks",
    steps: [put("/v2/team/app/manifests/chunked", [manifest.slice(0, 10), manifest.slice(10)], 201)],
  },
  {
    name: "a manifest that is none",
    steps: [
      put("/v2/team/app/manifests/broken", "this is no JSON", 400),
      put("/v2/team/app/manifests/broken", "{}", 400),
      { ...put("/v2/team/app/manifests/broken", "", 400), differs: untyped },
      get("/v2/team/app/manifests/broken", 404),
    ],
  },
  {
    name: "a manifest of an unknown type",
    steps: [put("/v2/team/app/manifests/typed", manifest, 400, "application/x-unknown")],
  },
  {
    name: "a manifest whose layers are missing",
    steps: [put("/v2/team/app/manifests/missing", absentImage, 400)],
  },
  {
    name: "a manifest under the digest of another",
    steps: [put(`/v2/team/app/manifests/${digestOf(absentImage)}`, manifest, 400)],
  },
  {
    name: "an OCI image, which a client for docker alone may not get",
    steps: [
      put("/v2/team/app/manifests/oci", ociManifest(), 201, "application/vnd.oci.image.manifest.v1+json"),
      get("/v2/team/app/manifests/oci", 404),
      {
        ...get("/v2/team/app/manifests/oci", 200),
        headers: { ...known, accept: "application/vnd.oci.image.manifest.v1+json" },
      },
    ],
  },
  {
    name: "an image deleted, and then a blob of it",
    steps: [
      mount("push/deleted", layerDigest),
      mount("push/deleted", configDigest),
      put("/v2/push/deleted/manifests/1", manifest, 201),
      remove("/v2/push/deleted/manifests/1", 400),
      remove(`/v2/push/deleted/manifests/${manifestDigest}`, 202),
      get("/v2/push/deleted/manifests/1", 404),
      remove(`/v2/push/deleted/manifests/${manifestDigest}`, 404),
      remove(`/v2/push/deleted/blobs/${layerDigest}`, 202),
      get(`/v2/push/deleted/blobs/${layerDigest}`, 404),
      remove(`/v2/push/deleted/blobs/${layerDigest}`, 404),
      get("/v2/push/deleted/tags/list", 200),
    ],
  },
];

function ociManifest(): string {
  const descriptor = (mediaType: string, digest: string, size: number) => ({ mediaType, digest, size });
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: descriptor("application/vnd.oci.image.config.v1+json", configDigest, configOf(given.layer).length),
    layers: [descriptor("application/vnd.oci.image.layer.v1.tar", layerDigest, given.layer.length)],
  });
}
