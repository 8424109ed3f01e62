import type { Difference } from "../difference.ts";
import type { Conversation, Step } from "../exchange.ts";
import { acceptsManifest, configDigest, known, layerDigest, manifestDigest, unknownDigest } from "./given.ts";

/** The registry names the size that it refuses. */
const cappedPage: Difference = {
  reason: "a registry without a limit of its own is not asked for more than 5,000 names at once",
  gate: (recipe) => {
    const body = recipe.body.replace('"n":1000000', '"n":5000');
    return { ...recipe, body, headers: { ...recipe.headers, "content-length": String(body.length) } };
  },
};

function get(target: string, status: number, headers: Step["headers"] = {}): Step {
  return { method: "GET", target, headers: { ...known, ...headers }, status };
}

function head(target: string, status: number, headers: Step["headers"] = {}): Step {
  return { ...get(target, status, headers), method: "HEAD" };
}

const blob = `/v2/team/app/blobs/${layerDigest}`;

export const pulls: readonly Conversation[] = [
  {
    name: "a manifest by tag and by digest",
    steps: ["1", manifestDigest].flatMap((reference) => [
      get(`/v2/team/app/manifests/${reference}`, 200, acceptsManifest),
      head(`/v2/team/app/manifests/${reference}`, 200, acceptsManifest),
    ]),
  },
  {
    name: "a manifest for clients of several kinds",
    steps: [
      get("/v2/team/app/manifests/1", 200, {
        accept:
          "application/vnd.oci.image.manifest.v1+json, */*;q=0.5, application/vnd.docker.distribution.manifest.v2+json",
      }),
      get("/v2/team/app/manifests/1", 200, {
        ...acceptsManifest,
        "user-agent": "docker/20.10.24 go/go1.19.8 kernel/6.1 os/linux arch/amd64",
      }),
      get("/v2/team/app/manifests/1", 200, { ...acceptsManifest, "accept-encoding": "gzip" }),
    ],
  },
  {
    // The registry then tries to make a manifest of the first schema of it, which this image is too small for.
    name: "a manifest for a client that does not say what it takes",
    steps: [get("/v2/team/app/manifests/1", 400), get("/v2/team/app/manifests/1", 400, { accept: "application/json" })],
  },
  {
    name: "a repository called like a part of a path",
    steps: [
      get("/v2/team/manifests/app/tags/list", 404),
      get("/v2/team/blobs/uploads/manifests/1", 404),
      get("/v2/tags/list/tags/list", 404),
    ],
  },
  {
    name: "a manifest that the client has already",
    steps: [
      get("/v2/team/app/manifests/1", 304, { ...acceptsManifest, "if-none-match": `"${manifestDigest}"` }),
      get("/v2/team/app/manifests/1", 200, { ...acceptsManifest, "if-none-match": `"${unknownDigest}"` }),
    ],
  },
  {
    name: "a manifest that is not there",
    steps: [
      get("/v2/team/app/manifests/absent", 404),
      head("/v2/team/app/manifests/absent", 404),
      get(`/v2/team/app/manifests/${unknownDigest}`, 404),
      get("/v2/team/absent/manifests/1", 404),
    ],
  },
  {
    name: "blobs",
    steps: [get(blob, 200), head(blob, 200), get(`/v2/team/app/blobs/${configDigest}`, 200)],
  },
  {
    name: "parts of a blob",
    steps: [
      get(blob, 206, { range: "bytes=10-19" }),
      get(blob, 206, { range: "bytes=90-" }),
      get(blob, 206, { range: "bytes=-5" }),
      get(blob, 206, { range: "bytes=0-0,50-59" }),
      get(blob, 416, { range: "bytes=100-" }),
      get(blob, 416, { range: "lines=1-2" }),
      get(blob, 206, { range: "bytes=10-19", "if-range": `"${layerDigest}"` }),
      get(blob, 200, { range: "bytes=10-19", "if-range": `"${unknownDigest}"` }),
    ],
  },
  {
    name: "a blob that the client has already",
    steps: [get(blob, 304, { "if-none-match": `"${layerDigest}"` })],
  },
  {
    name: "a blob that is not there",
    steps: [
      get(`/v2/team/app/blobs/${unknownDigest}`, 404),
      head(`/v2/team/app/blobs/${unknownDigest}`, 404),
      get(`/v2/team/absent/blobs/${layerDigest}`, 404),
    ],
  },
  {
    name: "the tags, whole and by pages",
    steps: [
      get("/v2/team/app/tags/list", 200),
      get("/v2/team/app/tags/list?n=2", 200),
      get("/v2/team/app/tags/list?n=2&last=2", 200),
      get("/v2/team/app/tags/list?unknown=parameter", 200),
      get("/v2/team/absent/tags/list", 404),
    ],
  },
  {
    name: "the catalog, whole and by pages",
    steps: [
      get("/v2/_catalog", 200),
      get("/v2/_catalog?n=1", 200),
      get("/v2/_catalog?n=1&last=team/app", 200),
      get("/v2/_catalog?n=100&last=zzz", 200),
      get("/v2/_catalog?n=0", 200),
      get("/v2/_catalog?n=1001", 400),
      { ...get("/v2/_catalog?n=1000000", 400), differs: cappedPage },
    ],
  },
];
