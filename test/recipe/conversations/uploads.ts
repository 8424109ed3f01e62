import { digestOf } from "../../support/registry-content.ts";
import type { Conversation, Step } from "../exchange.ts";
import { given, known, layerDigest, unknownDigest } from "./given.ts";

const content = "a blob of this conversation";
const digest = digestOf(content);
const octets = { "content-type": "application/octet-stream" };

function start(repository: string, query = "", status = 202): Step {
  return { method: "POST", target: `/v2/${repository}/blobs/uploads/${query}`, headers: known, status };
}

function patch(body: Step["body"], status: number, headers: Step["headers"] = {}): Step {
  return {
    method: "PATCH",
    target: "Location",
    headers: { ...known, ...octets, ...headers },
    body: body ?? "",
    status,
  };
}

function put(query: string, status: number, body?: Step["body"]): Step {
  const headers = { ...known, ...octets };
  return { method: "PUT", target: "Location", query, headers, status, ...(body !== undefined && { body }) };
}

function blob(repository: string, of: string, status: number): Step {
  return { method: "GET", target: `/v2/${repository}/blobs/${of}`, headers: known, status };
}

const half = content.length >> 1;

export const uploads: readonly Conversation[] = [
  {
    name: "a blob in one piece",
    steps: [start("push/one"), put(`digest=${digest}`, 201, content), blob("push/one", digest, 200)],
  },
  {
    name: "a blob in one piece, sent in chunks of unknown number",
    steps: [
      start("push/chunked"),
      put(`digest=${digest}`, 201, [content.slice(0, half), content.slice(half)]),
      blob("push/chunked", digest, 200),
    ],
  },
  {
    name: "a blob as docker sends it: one chunked PATCH, and an empty PUT",
    steps: [
      start("push/docker"),
      patch([content.slice(0, half), content.slice(half)], 202),
      put(`digest=${digest}`, 201),
      blob("push/docker", digest, 200),
    ],
  },
  {
    name: "a blob in two ranges",
    steps: [
      start("push/ranges"),
      patch(content.slice(0, half), 202, { "content-range": `0-${half - 1}` }),
      patch(content.slice(half), 202, { "content-range": `${half}-${content.length - 1}` }),
      put(`digest=${digest}`, 201),
      blob("push/ranges", digest, 200),
    ],
  },
  {
    name: "an upload that is resumed where it stopped",
    steps: [
      start("push/resumed"),
      patch(content.slice(0, half), 202),
      { method: "GET", target: "Location", headers: known, status: 204 },
      { method: "HEAD", target: "Location", headers: known, status: 204 },
      put(`digest=${digest}`, 201, content.slice(half)),
      blob("push/resumed", digest, 200),
    ],
  },
  {
    name: "a range that is out of order",
    steps: [start("push/order"), patch(content.slice(half), 202, { "content-range": `${half}-${content.length - 1}` })],
  },
  {
    name: "a large blob, which waits to be asked for",
    steps: [
      start("push/large"),
      {
        ...put(`digest=${digestOf("x".repeat(3_000_000))}`, 201, "x".repeat(3_000_000)),
        headers: { ...known, ...octets, expect: "100-continue", "content-length": "3000000" },
      },
      { ...blob("push/large", digestOf("x".repeat(3_000_000)), 200), method: "HEAD" },
    ],
  },
  {
    name: "an empty blob",
    steps: [start("push/empty"), put(`digest=${digestOf("")}`, 201), blob("push/empty", digestOf(""), 200)],
  },
  {
    name: "a blob that is not what its digest says",
    steps: [start("push/wrong"), put(`digest=${unknownDigest}`, 400, content), blob("push/wrong", unknownDigest, 404)],
  },
  { name: "an end without a digest", steps: [start("push/undigested"), put("", 400, content)] },
  { name: "a digest in the first request", steps: [start("push/monolithic", `?digest=${digest}`)] },
  {
    name: "an upload that is given up",
    steps: [
      start("push/cancelled"),
      { method: "DELETE", target: "Location", headers: known, status: 204 },
      { method: "GET", target: "Location", headers: known, status: 404 },
    ],
  },
  {
    name: "an upload that does not exist",
    steps: ["GET", "PATCH", "DELETE"].map((method) => ({
      method,
      target: "/v2/push/absent/blobs/uploads/d1b6fc37-3a3b-4a0c-9f45-2b6d0d3e8f10",
      headers: known,
      status: 404,
    })),
  },
  {
    name: "an upload taken to another repository",
    steps: [
      start("push/here"),
      { ...start("push/there") },
      put(`digest=${digest}`, 201, content),
      blob("push/here", digest, 404),
    ],
  },
  {
    name: "a mount of a blob",
    steps: [
      start("push/mounted", `?mount=${layerDigest}&from=${given.repository}`, 201),
      blob("push/mounted", layerDigest, 200),
    ],
  },
  {
    name: "mounts that become uploads",
    steps: [
      start("push/unmounted", `?mount=${unknownDigest}&from=${given.repository}`),
      start("push/unmounted", `?mount=${layerDigest}&from=team/absent`),
      blob("push/unmounted", layerDigest, 404),
    ],
  },
];
