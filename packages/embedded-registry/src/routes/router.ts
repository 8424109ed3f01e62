import type { Exchange } from "../http/exchange.ts";
import { sendJson } from "../http/exchange.ts";
import { Problem } from "../http/problem.ts";
import type { Storage } from "../storage/storage.ts";
import { deleteBlob, getBlob } from "./blobs.ts";
import { getCatalog, getTags } from "./listings.ts";
import { deleteManifest, getManifest, putManifest } from "./manifests.ts";
import { getReferrers } from "./referrers.ts";
import type { Target } from "./target.ts";
import type { CommitDelay } from "./uploads.ts";
import { cancelUpload, finishUpload, getUpload, patchUpload, startUpload } from "./uploads.ts";

type Handler = (exchange: Exchange) => Promise<void>;

/** Answers one request. Throws a problem where there is nothing better to answer. */
export async function route(exchange: Exchange, storage: Storage, target: Target, delay: CommitDelay): Promise<void> {
  const handlers = handlersOf(storage, target, delay);
  const handler = handlers.get(exchange.request.method ?? "");
  if (handler === undefined) {
    const allow = [...handlers.keys()].join(", ");
    throw new Problem(405, "UNSUPPORTED", "the operation is unsupported", null, { allow });
  }
  await handler(exchange);
}

function handlersOf(storage: Storage, target: Target, delay: CommitDelay): Map<string, Handler> {
  switch (target.kind) {
    case "ping":
      return reading(async (exchange) => sendJson(exchange, {}));
    case "catalog":
      return reading((exchange) => getCatalog(exchange, storage));
    case "tags":
      return reading((exchange) => getTags(exchange, storage, target.repository));
    case "referrers":
      return reading((exchange) => getReferrers(exchange, storage, target.repository, target.digest));
    case "manifest": {
      const { repository, reference } = target;
      return reading((exchange) => getManifest(exchange, storage, repository, reference))
        .set("PUT", (exchange) => putManifest(exchange, storage, repository, reference))
        .set("DELETE", (exchange) => deleteManifest(exchange, storage, repository, reference));
    }
    case "blob": {
      const { repository, digest } = target;
      return reading((exchange) => getBlob(exchange, storage, repository, digest)).set("DELETE", (exchange) =>
        deleteBlob(exchange, storage, repository, digest),
      );
    }
    case "uploads":
      return new Map([["POST", (exchange) => startUpload(exchange, storage, target.repository, delay)]]);
    case "upload": {
      const { repository, id } = target;
      return reading((exchange) => getUpload(exchange, storage, repository, id))
        .set("PATCH", (exchange) => patchUpload(exchange, storage, repository, id))
        .set("PUT", (exchange) => finishUpload(exchange, storage, repository, id, delay))
        .set("DELETE", (exchange) => cancelUpload(exchange, storage, repository, id));
    }
  }
}

function reading(handler: Handler): Map<string, Handler> {
  return new Map([
    ["GET", handler],
    ["HEAD", handler],
  ]);
}
